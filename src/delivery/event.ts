import { z } from 'zod'
import type { FeedbackState } from '../../db/schema.ts'
import { parseAddress } from '../subscriber/address.ts'

/** An event of the provider as it is written down: what it is about, what it says, and its body. */
export type ProviderEvent = {
  readonly svixId: string
  readonly type: string
  readonly emailId: string | null
  /** The tags of a delivery. */
  readonly batchId: string | null
  readonly reader: string | null
  /** The tag of a letter. */
  readonly letterId: string | null
  readonly address: string | null
  readonly state: FeedbackState | null
  readonly bars: 'bounced' | 'complained' | 'by hand' | null
  readonly at: Temporal.Instant
  readonly receivedAt: Temporal.Instant
  readonly body: object
}

export type ReadEvent =
  | { readonly ok: true; readonly event: ProviderEvent }
  | { readonly ok: false; readonly problem: string }

type Received = { readonly svixId: string; readonly receivedAt: Temporal.Instant }

/**
 * Reads an event as loosely as it can be (RELIABILITY 1.6): a type, and for mail that goes out an `email_id` and a `to`.
 * Types that nobody knows yet are kept like all others.
 */
export function readEvent(document: unknown, { svixId, receivedAt }: Received): ReadEvent {
  const envelope = looseEvent.safeParse(document)
  if (!envelope.success) return { ok: false, problem: 'expected an object with a "type"' }
  const { type, created_at, data } = envelope.data
  if (outbound.has(type) && data.email_id === null)
    return { ok: false, problem: `expected "data.email_id" in ${type}` }
  if (outbound.has(type) && data.to === null) return { ok: false, problem: `expected "data.to" in ${type}` }

  const about = whatItIsAbout(data.tags)
  const event: ProviderEvent = {
    ...{ svixId, type, emailId: data.email_id, ...about, address: addressOf(data.to ?? data.email) },
    ...whatItSays(type, data),
    ...{ at: instant(created_at) ?? instant(data.created_at) ?? receivedAt, receivedAt },
    body: withoutRecipient(document, isTagged(about)),
  }
  return { ok: true, event }
}

/** Whether an event has anything to be applied, beyond being kept: an untagged one is looked up by its address. */
export function isToBeApplied(event: ProviderEvent): boolean {
  return isTagged(event) ? event.state !== null : event.address !== null
}

function isTagged({ reader, letterId }: Pick<ProviderEvent, 'reader' | 'letterId'>): boolean {
  return reader !== null || letterId !== null
}

const outbound = new Set(
  [
    ...['sent', 'scheduled', 'delivered', 'delivery_delayed', 'bounced', 'complained'],
    ...['opened', 'clicked', 'failed', 'suppressed'],
  ].map((name) => `email.${name}`),
)

const text = z.string().nullable().catch(null)
const texts = z.record(z.string(), z.unknown()).catch({})
const tagList = z
  .array(z.object({ name: z.string(), value: z.string() }))
  .transform((tags): Record<string, unknown> => Object.fromEntries(tags.map((tag) => [tag.name, tag.value])))

const looseEvent = z.object({
  type: z.string().min(1),
  created_at: text,
  data: z
    .object({
      email_id: text,
      created_at: text,
      email: text,
      to: z
        .union([z.string(), z.tuple([z.string()], z.unknown()).transform(([first]) => first)])
        .nullable()
        .catch(null),
      tags: z.union([tagList, texts]),
      bounce: texts,
      suppressed: texts,
    })
    .catch({ email_id: null, created_at: null, email: null, to: null, tags: {}, bounce: {}, suppressed: {} }),
})

type Data = z.infer<typeof looseEvent>['data']

/** A delivery by both of its tags, a letter by its own, or neither. */
function whatItIsAbout(tags: Data['tags']): Pick<ProviderEvent, 'batchId' | 'reader' | 'letterId'> {
  const [batchId, reader, letterId] = [uuid(tags.batch), uuid(tags.delivery), uuid(tags.letter)]
  if (batchId === null || reader === null) return { batchId: null, reader: null, letterId }
  return { batchId, reader, letterId: null }
}

/** Where in the lattice an event puts its mail, and whether its address is mailed no more for it alone. */
function whatItSays(type: string, { bounce, suppressed }: Data): Pick<ProviderEvent, 'state' | 'bars'> {
  switch (type) {
    case 'email.delivery_delayed':
      return { state: 'delayed', bars: null }
    case 'email.delivered':
      return { state: 'delivered', bars: null }
    case 'email.failed':
      return { state: 'failed', bars: null }
    case 'email.suppressed':
      return { state: 'suppressed', bars: earlier[String(suppressed.reason)] ?? 'by hand' }
    case 'email.bounced':
      if (bounce.type === 'Permanent') return { state: 'bounced hard', bars: 'bounced' }
      return { state: 'bounced soft', bars: null }
    case 'email.complained':
      return { state: 'complained', bars: 'complained' }
    default:
      return { state: null, bars: null }
  }
}

/** Why the provider itself suppresses an address; without a reason somebody put it on its list. */
const earlier: Readonly<Record<string, 'bounced' | 'complained'>> = {
  previous_bounce: 'bounced',
  previous_complaint: 'complained',
}

function uuid(value: unknown): string | null {
  return typeof value === 'string' && /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(value) ? value : null
}

function addressOf(given: string | null): string | null {
  if (given === null) return null
  const parsed = parseAddress(/<([^<>]+)>\s*$/.exec(given)?.[1] ?? given)
  return parsed.ok ? parsed.address : null
}

/** RFC 3339, or as PostgreSQL writes it. */
function instant(value: string | null): Temporal.Instant | null {
  if (value === null) return null
  try {
    return Temporal.Instant.from(value)
  } catch {
    return null
  }
}

/**
 * The body without the headers, which hold the reader's own links, and where a tag says whose it is, without the address:
 * so an erased reader's cannot come back with a late event.
 */
function withoutRecipient(document: unknown, isNamedByTag: boolean): object {
  const { data, ...envelope } = body.parse(document)
  if (data === undefined) return envelope
  const { headers: _links, ...rest } = data
  if (!isNamedByTag) return { ...envelope, data: rest }
  const { to: _to, cc: _cc, bcc: _bcc, ...anonymous } = rest
  return { ...envelope, data: anonymous }
}

const body = z.looseObject({ data: z.looseObject({}).optional().catch(undefined) })
