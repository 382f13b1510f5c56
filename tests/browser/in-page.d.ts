export function focusedText(): string;
export function focusedTag(): string;
export function focusedId(): string;
export function scrollToY(y: number): void;
export function sidewaysOverflow(): { readonly scrolls: boolean; readonly offender: string | undefined };
export function lowContrast(): string[];
