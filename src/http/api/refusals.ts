import { isDeepStrictEqual } from 'node:util'
import type { Context } from 'hono'
import type { ComparisonDocument } from '../../verdict/document.ts'
import type { ReadOne } from '../../verdict/read-document.ts'
import type { Revision } from '../../verdict/revisions.ts'
import { etagOf } from './etag.ts'
import type { Answer } from './problem.ts'

/** The body is no JSON, or no comparison: each place that is wrong. */
export function faulty(
  c: Context,
  answer: Answer,
  { kind, faults }: Exclude<ReadOne, { readonly kind: 'read' }>,
): Response {
  const errors = faults.slice(0, 50)
  const count = faults.length === 1 ? 'One thing is' : `${faults.length} things are`
  const some = faults.length > errors.length ? `; the first ${errors.length} are listed` : ''
  return kind === 'malformed'
    ? answer(c, 'Malformed', `${placed(errors[0])}. Nothing was changed.`, { errors })
    : answer(c, 'Invalid', `${count} not as it has to be${some}. Nothing was changed.`, { errors })
}

function placed(fault: { message: string; line: number; column: number } | undefined): string {
  return fault ? `Line ${fault.line}, column ${fault.column}: ${fault.message}` : 'It cannot be read'
}

/** A condition was not met: what the comparison is now. `wanted` is what the request would have it say. */
export function changed(
  c: Context,
  answer: Answer,
  now: Revision | undefined,
  wanted: ComparisonDocument,
): Response {
  const current = now ? standing(c, now, wanted) : null
  const words = !current
    ? 'There is no comparison with this name, so there is none that If-Match could name. Leave it out to make one.'
    : current.same && c.req.method !== 'GET'
      ? `The comparison says already what you sent: perhaps your earlier request arrived. It is at revision ${current.revision}.`
      : `The comparison is at revision ${current.revision} now. GET it, make your change in what it says, and send that with its ETag.`
  return answer(c, 'Changed', `${words} Nothing was changed.`, { current })
}

/** The comparison was retracted by somebody else. */
export function retracted(c: Context, answer: Answer, now: Revision, wanted: ComparisonDocument): Response {
  const detail =
    'It was retracted at the desk or by an import, so it is not brought back by chance. To bring it back, send the same with If-Match and the current ETag. Nothing was changed.'
  return answer(c, 'Retracted', detail, { current: standing(c, now, wanted) })
}

/** What there is now, for whoever was refused; its tag is in the header as well. */
function standing(c: Context, now: Revision, wanted: ComparisonDocument) {
  const etag = etagOf(now)
  c.header('ETag', etag)
  const same = isDeepStrictEqual(JSON.parse(JSON.stringify(wanted)), now.document)
  return { etag, revision: now.revision, retracted: now.document.retracted === true, same }
}
