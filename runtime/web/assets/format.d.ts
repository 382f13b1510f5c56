/** Types of format.js, which is JavaScript because the browser loads the very same file. */
export function duration(seconds: number): string;
export function ago(from: number, now: number): string;
export function countdown(to: number, now: number): string;
export function elapsed(from: number, now: number): string;
