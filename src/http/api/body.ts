import type { Context } from 'hono'

/** A body as text, or why it is not read, by the name of the problem. */
export type Body =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'WrongType' | 'Malformed'; readonly problem: string }

/** JSON is UTF-8 (RFC 8259, 8.1); a byte order mark is left out, and bytes that are no UTF-8 are never guessed at. */
export async function readBody(c: Context): Promise<Body> {
  const [type = '', ...parameters] = (c.req.header('content-type') ?? '').toLowerCase().split(';')
  const charset = parameters.map((one) => /^\s*charset="?([^"\s]*)"?\s*$/.exec(one)?.[1]).find(Boolean)
  const coding = c.req.header('content-encoding') ?? 'identity'
  if (type.trim() !== 'application/json') return wrongType(c, 'Send Content-Type: application/json.')
  if (charset !== undefined && !['utf-8', 'utf8', 'us-ascii'].includes(charset))
    return wrongType(c, 'Send it in UTF-8: JSON has no other charset.')
  if (coding.toLowerCase() !== 'identity') {
    c.header('Accept-Encoding', 'identity')
    return wrongType(c, 'Send it as it is, without Content-Encoding.')
  }
  const bytes = await c.req.arrayBuffer()
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch (error) {
    if (error instanceof TypeError)
      return { kind: 'Malformed', problem: 'It is not in UTF-8. Nothing was changed.' }
    throw error
  }
}

function wrongType(c: Context, problem: string): Body {
  c.header('Accept', 'application/json')
  return { kind: 'WrongType', problem: `${problem} Nothing was changed.` }
}
