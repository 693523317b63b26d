export function wrap(t: string) {
  return t
}
