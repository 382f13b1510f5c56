/** Functions that the tests run inside the page; JavaScript, because the program's types know no browser. */

export function focusedText() {
  return document.activeElement?.textContent?.trim().replaceAll(/\s+/g, " ") ?? "";
}

export function focusedTag() {
  return document.activeElement?.tagName ?? "";
}

export function focusedId() {
  return document.activeElement?.id ?? "";
}

export function scrollToY(y) {
  window.scrollTo(0, y);
}

/** Whether the page scrolls sideways, and the first element that sticks out to the right. */
export function sidewaysOverflow() {
  const width = document.documentElement.clientWidth;
  const visible = [...document.querySelectorAll("main *, header *")].filter((element) => element.checkVisibility());
  const edge = (element) => element.closest(".panel")?.getBoundingClientRect().right ?? width;
  const offender = visible.find(
    (element) => element.getBoundingClientRect().right > Math.min(width, edge(element)) + 1,
  );
  return { scrolls: document.documentElement.scrollWidth > width, offender: offender?.outerHTML.slice(0, 200) };
}

/** Elements with text whose contrast to their ground is below 4.5 (WCAG 2.2, 1.4.3). */
export function lowContrast() {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const luminance = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) {
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
    }
    const [red, green, blue] = [...canvas.getImageData(0, 0, 1, 1).data]
      .map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const found = new Set();
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
    if (!own || !element.checkVisibility() || element.closest("svg")) continue;
    const grounds = [];
    for (let at = element; at; at = at.parentElement) grounds.unshift(getComputedStyle(at).backgroundColor);
    const [ground, text] = [luminance(grounds), luminance([...grounds, getComputedStyle(element).color])];
    const ratio = (Math.max(ground, text) + 0.05) / (Math.min(ground, text) + 0.05);
    if (ratio < 4.5) {
      found.add(`${ratio.toFixed(2)} ${element.className} ${element.textContent.trim().slice(0, 40)}`);
    }
  }
  return [...found];
}
