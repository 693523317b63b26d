import { encode, wrap } from 'nodemailer/lib/qp'

/** More lines than an edition has, many times; when so many are known, it begins anew. */
const mostKnown = 4096

/**
 * Encodes text as quoted-printable (RFC 2045 section 6.7), line by line. Lines that were met before are not encoded
 * again: of an issue's mail only the few with the reader's own links are new.
 */
export function lineEncoder(): (text: string) => string {
  const known = new Map<string, string>()

  function encoded(line: string): string {
    const before = known.get(line)
    if (before !== undefined) return before
    if (known.size >= mostKnown) known.clear()
    const now = wrap(encode(line))
    known.set(line, now)
    return now
  }

  return (text) =>
    text
      .split(/\r\n|\r|\n/)
      .map(encoded)
      .join('\r\n')
}
