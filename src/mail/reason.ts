/** What a server or the system said, made fit for a log and the desk: one line of at most 300 characters, every address struck out. */
export function reason(said: string): string {
  return said
    .slice(0, 1_000)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/(?:"[^"]*"|[^\s"<>])*(?:@|%40|\uff20)[^\s<>]*/gi, '[address]')
    .trim()
    .slice(0, 300)
}
