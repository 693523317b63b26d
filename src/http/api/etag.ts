import { createHash } from 'node:crypto'
import type { Context } from 'hono'
import type { Revision } from '../../verdict/revisions.ts'

/** A strong tag of one revision. The hash is for databases that were restored: there a number can mean something else. */
export function etagOf({ revision, document }: Revision): string {
  const hash = createHash('sha256').update(JSON.stringify(document)).digest('base64url')
  return `"${revision}-${hash.slice(0, 16)}"`
}

/** Whether `If-Match` allows what is asked for (RFC 9110, 13.1.1); `etag` is undefined where there is nothing. */
export function isMatched(c: Context, etag: string | undefined): boolean {
  const wanted = c.req.header('if-match')
  if (wanted === undefined) return true
  return etag !== undefined && (wanted.trim() === '*' || tagsIn(wanted).includes(etag))
}

/** Whether `If-None-Match` names what there is (RFC 9110, 13.1.2). */
export function isNamedByNoneMatch(c: Context, etag: string | undefined): boolean {
  const known = c.req.header('if-none-match')
  if (known === undefined || etag === undefined) return false
  return known.trim() === '*' || tagsIn(known).some((tag) => tag.replace(/^W\//, '') === etag)
}

function tagsIn(list: string): readonly string[] {
  return list.match(/(?:W\/)?"[^"]*"/g) ?? []
}
