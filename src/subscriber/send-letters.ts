import type { Kysely, Selectable } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Calendar, Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { SendOutcome, Transport } from '../mail/email.ts'
import type { MailTemplates } from '../mail/mail-templates.ts'
import { openPacer, type Pacer } from '../mail/pace.ts'
import type { WireFacts } from '../mail/wire.ts'
import { loadAtRevision } from '../verdict/at-revision.ts'
import { panelSentence } from '../verdict/panel.ts'
import { pricingRead } from '../verdict/pricing.ts'
import { wishIn } from './follow-wish.ts'
import { setLetter } from './set-letter.ts'
import { suppressedAmong } from './suppressed.ts'
import type { SigningKey } from './token.ts'

export type LetterDeps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly log: Log
  readonly transport: Transport
  readonly letterTemplates: MailTemplates
  readonly wire: WireFacts
  readonly listId: string
  readonly setting: { readonly postalAddress: string }
  readonly calendar: Calendar
  readonly keys: readonly SigningKey[]
}

/** How many letters left; `halted`: none can leave until somebody mends something, so the rest waits. */
export type SentLetters = { readonly sent: number; readonly halted: boolean }

type Letter = Selectable<Database['letter']>
type Reader = Pick<Selectable<Database['subscriber']>, 'public_id' | 'address' | 'status' | 'unsubscribed_at'>

/** After this many attempts a letter is given up. */
const mostAttempts = 5
/** Longer than any call takes: after that a claimed letter whose sender died is anybody's. */
const lease = Temporal.Duration.from({ minutes: 3 })

/**
 * Sends every letter that is due, one call each, until none is. Any number of processes may do this at once. Tried
 * again, a letter has the same bytes and key, so a provider that knows repeats sends it once.
 */
export async function sendLetters(deps: LetterDeps, stop?: AbortSignal): Promise<SentLetters> {
  const pacer = openPacer(deps)
  let sent = 0
  while (!stop?.aborted) {
    const letter = await claimLetter(deps)
    if (!letter) break
    const outcome = await sendLetter(deps, letter, pacer, stop)
    deps.log.info(
      { letter: letter.id, about: letter.kind, outcome: outcome.kind, reason: outcome.reason },
      'letter',
    )
    if (outcome.kind === 'accepted') sent++
    if (outcome.kind === 'halt') return { sent, halted: true }
  }
  return { sent, halted: false }
}

/** Whether a letter waits to be sent now. */
export async function hasLettersDue({ db, clock }: Pick<LetterDeps, 'db' | 'clock'>): Promise<boolean> {
  return (await due(db, clock()).executeTakeFirst()) !== undefined
}

function due(db: Pick<Kysely<Database>, 'selectFrom'>, now: Temporal.Instant) {
  return db
    .selectFrom('letter')
    .select('id')
    .where('sent_at', 'is', null)
    .where('given_up_at', 'is', null)
    .where('not_before', '<=', now)
    .orderBy('not_before')
    .limit(1)
}

function claimLetter({ db, clock }: LetterDeps): Promise<Letter | undefined> {
  return db
    .with('next', (qb) => due(qb, clock()).forUpdate().skipLocked())
    .updateTable('letter')
    .from('next')
    .set((eb) => ({ attempts: eb('attempts', '+', 1), not_before: clock().add(lease) }))
    .whereRef('letter.id', '=', 'next.id')
    .returningAll('letter')
    .executeTakeFirst()
}

type Ended = { readonly kind: SendOutcome['kind'] | 'given up'; readonly reason?: string }

async function sendLetter(
  deps: LetterDeps,
  letter: Letter,
  pacer: Pacer,
  stop?: AbortSignal,
): Promise<Ended> {
  const reader = await readerOf(deps.db, letter.subscriber_id)
  const to = letter.to_address ?? reader.address
  const refusal = to === null ? 'its reader was erased' : await whyNot(deps, letter, reader, to)
  if (to === null || refusal) return giveUp(deps, letter, refusal ?? '')

  const key = deps.keys.find((known) => known.id === letter.key_id)
  if (!key) return giveUp(deps, letter, `the signing key "${letter.key_id}" is not in SIGNING_KEYS any more`)
  const mail = setLetter(
    { ...deps, templates: deps.letterTemplates, postalAddress: deps.setting.postalAddress, key },
    {
      ...letter,
      to,
      publicId: reader.public_id,
      wish: wishIn(letter),
      latestIssue: await latestIssueAt(deps.db, letter.created_at),
    },
  )
  const turn = await pacer.turn(stop)
  await turn()
  const outcome = await deps.transport.send([mail], `wv1/letter/${letter.id}/1`)
  await pacer.heard(outcome)
  return recordOutcome(deps, letter, outcome)
}

function readerOf(db: Kysely<Database>, id: number): Promise<Reader> {
  return db
    .selectFrom('subscriber')
    .select(['public_id', 'address', 'status', 'unsubscribed_at'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
}

/** Why a letter need not or must not go any more. */
async function whyNot(
  { db, clock, keys }: LetterDeps,
  letter: Letter,
  reader: Reader,
  to: string,
): Promise<string | undefined> {
  if (letter.attempts > mostAttempts) return `it was tried ${mostAttempts} times`
  if (letter.expires_at && Temporal.Instant.compare(letter.expires_at, clock()) <= 0)
    return 'its link has expired'
  if (!isWanted(letter, reader)) return 'its reader has moved on'
  const suppressed = await suppressedAmong(db, keys, [to])
  return suppressed.has(to) ? 'its address is suppressed' : undefined
}

/** Whether the reader is still where they were when the letter was posted. */
function isWanted({ kind, created_at }: Letter, { status, unsubscribed_at }: Reader): boolean {
  const leftSince = unsubscribed_at !== null && Temporal.Instant.compare(unsubscribed_at, created_at) > 0
  switch (kind) {
    case 'confirm':
      return status === 'pending' || (status === 'unsubscribed' && !leftSince)
    case 'welcome':
    case 'follow':
    case 'confirm new address':
      return status === 'confirmed' || status === 'paused'
    case 'resumed':
      return status === 'confirmed'
    case 'address changed':
      return status !== 'erased'
  }
}

/** The newest issue that was going out at that instant, and what it said of each pair, in a line. */
async function latestIssueAt(db: Kysely<Database>, at: Temporal.Instant) {
  const issue = await db
    .selectFrom('issue as i')
    .innerJoin('edition as e', 'e.hash', 'i.edition_hash')
    .select(['i.id', 'i.week', 'e.subject'])
    .where('i.planned_at', '<=', at)
    .where('i.state', '<>', 'cancelled')
    .orderBy('i.planned_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!issue) return undefined
  const members = await db
    .selectFrom('issue_comparison')
    .select(['comparison_id', 'revision'])
    .where('issue_id', '=', issue.id)
    .orderBy('position')
    .execute()
  const comparisons = (await loadAtRevision(db, members)) ?? []
  const verdicts = comparisons.map(({ title, tools }) => ({
    title,
    line: `${panelSentence(tools)}; ${pricingRead(tools)}.`,
  }))
  return { week: issue.week, subject: issue.subject, verdicts }
}

async function recordOutcome(deps: LetterDeps, letter: Letter, outcome: SendOutcome): Promise<Ended> {
  switch (outcome.kind) {
    case 'accepted':
      await change(deps, letter, { sent_at: deps.clock(), reason: null })
      return { kind: 'accepted' }
    case 'rejected':
      return giveUp(deps, letter, outcome.reason)
    case 'retry':
    case 'unknown': {
      if (letter.attempts >= mostAttempts) return giveUp(deps, letter, outcome.reason)
      const asked = outcome.kind === 'retry' ? outcome.after.total('seconds') : 0
      const seconds = Math.ceil(Math.max(asked, 60 * 5 ** (letter.attempts - 1)))
      await change(deps, letter, { not_before: deps.clock().add({ seconds }), reason: outcome.reason })
      return { kind: outcome.kind, reason: outcome.reason }
    }
    case 'halt':
      await change(deps, letter, {
        ...{ attempts: letter.attempts - 1, not_before: deps.clock().add({ minutes: 5 }) },
        reason: outcome.reason,
      })
      return { kind: 'halt', reason: outcome.reason }
  }
}

async function giveUp(deps: LetterDeps, letter: Letter, reason: string): Promise<Ended> {
  await change(deps, letter, { given_up_at: deps.clock(), reason })
  return { kind: 'given up', reason }
}

/** Only for the attempt that this process claimed: one that came later knows better. */
async function change({ db }: LetterDeps, letter: Letter, values: Partial<Letter>): Promise<void> {
  await db
    .updateTable('letter')
    .set(values)
    .where('id', '=', letter.id)
    .where('attempts', '=', letter.attempts)
    .where('sent_at', 'is', null)
    .execute()
}
