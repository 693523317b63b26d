import type { Context } from 'hono'
import type { Kysely, Selectable } from 'kysely'
import type { Database } from '../../../db/schema.ts'
import { testReader } from '../../delivery/personalise.ts'
import { readToken, type SigningKey, type TokenPurpose } from '../../subscriber/token.ts'

type Deps = { readonly db: Kysely<Database>; readonly keys: readonly SigningKey[] }

/** Whoever holds a personal link. The links of a test mail belong to nobody: they open, and change nothing. */
export type Holder = Selectable<Database['subscriber']> & { readonly isTest: boolean }

/** Whose link it is; undefined when we never made it for this purpose, or its reader is not ours. */
export async function holderOf(
  { db, keys }: Deps,
  purpose: TokenPurpose,
  token: string,
): Promise<Holder | undefined> {
  const publicId = readToken(keys, purpose, token)
  if (publicId === undefined) return undefined
  if (publicId === testReader) return nobody
  const reader = await db
    .selectFrom('subscriber')
    .selectAll()
    .where('public_id', '=', publicId)
    .executeTakeFirst()
  return reader && { ...reader, isTest: false }
}

const never = Temporal.Instant.fromEpochMilliseconds(0)
const nobody: Holder = {
  ...{ id: 0, public_id: testReader, address: 'reader@example.com', status: 'confirmed', cadence: 'weekly' },
  ...{ created_at: never, confirmed_at: never, paused_until: null, unsubscribed_at: null, isTest: true },
}

/** Pages behind a personal link are kept by no cache and no search engine (S11). */
export async function neverKept(c: Context, next: () => Promise<void>): Promise<void> {
  await next()
  c.header('Cache-Control', 'no-store')
  c.header('X-Robots-Tag', 'noindex')
}

/** `5 January 2027` in the newsletter's zone. */
export function dayOf(instant: Temporal.Instant, zone: string): string {
  return instant
    .toZonedDateTimeISO(zone)
    .toPlainDate()
    .toLocaleString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' })
}

/** What a reader is told, for whoever holds the link of a test mail. */
export function asTest<Message extends object>(said: Message): Message & { kicker: string; note: string } {
  return {
    ...said,
    kicker: 'A test',
    note: 'This link is from a test mail. A reader would be told this; nobody was meant, and nothing was changed.',
  }
}

/** Said, with 404, for a link that was forged, cut short, or made for something else. */
export const unknownLink = {
  kicker: 'Nothing was changed',
  title: 'This link is not one of ours',
  lede: 'It may have been cut short on its way. The whole link is at the foot of every issue: open it from there.',
  button: '',
  note: '',
}

/** Said where a personal link would be needed and none was given. */
export const inYourMail = {
  kicker: 'Your subscription',
  title: 'The link is in your mail',
  lede: 'Every issue has your own link to leave or change your subscription, at its foot. This page cannot know who you are.',
  button: '',
  note: '',
}

/** Said, with 413, where a form sent more than it has fields for. */
export const tooMuch = {
  kicker: 'Nothing was changed',
  title: 'That was too much',
  lede: 'The form sent more than it has fields for. Open the link in your mail and try again.',
  button: '',
  note: '',
}
