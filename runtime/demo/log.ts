/** How the parts of the demo speak: a line at a time, to whoever shows it. */

export type DemoLog = (message: string, level?: "info" | "warn") => void;
