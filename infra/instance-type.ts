/** What an EC2 instance type says about the machine by its name alone. */

/** Graviton families have a `g` behind the generation's digit (t4g, m7gd, c7gn), or are a1; g5 and the like are not. */
export function architectureOf(instanceType: string): "arm64" | "amd64" {
  return /^(?:a1|[a-z]+[0-9]+[a-z]*g[a-z]*)\./.test(instanceType) ? "arm64" : "amd64";
}

/** Whether the type earns and spends CPU credits (t2, t3, t3a, t4g). Others refuse a credit specification. */
export function isBurstable(instanceType: string): boolean {
  return /^t[0-9]/.test(instanceType);
}
