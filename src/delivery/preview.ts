import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { cutEdition, type Edition } from '../issue/edition.ts'
import type { Issue } from '../issue/issue.ts'
import { type LinkTarget, linkTargets } from '../issue/links.ts'
import type { IssueSetting } from '../issue/render.ts'
import type { Mail } from '../mail/email.ts'
import type { MailTemplates } from '../mail/mail-templates.ts'
import type { WireFacts } from '../mail/wire.ts'
import { parseAddress } from '../subscriber/address.ts'
import { findReader, readerAt } from '../subscriber/find.ts'
import type { SigningKey } from '../subscriber/token.ts'
import { choiceOfEverybody, choiceOfFollower, choiceOfReader, wholeWith } from './choice.ts'
import { loadEdition } from './load-edition.ts'
import { personalise, testReader } from './personalise.ts'
import { type Variant, variantsOf } from './variant.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly wire: WireFacts
  readonly listId: string
  readonly keys: readonly SigningKey[]
  readonly templates: MailTemplates
  readonly setting: IssueSetting
}

/** Whose mail is looked at: one reader's, or that of anybody who reads in one of these ways. */
export type Onlooker =
  /** Was told whatever the issue corrects for the first time. */
  | { readonly kind: 'weekly' }
  /** Reads the whole issue, and nothing before it. */
  | { readonly kind: 'new' }
  | { readonly kind: 'monthly' }
  /** Follows this category and nothing else. */
  | { readonly kind: 'follows'; readonly category: string }
  | { readonly kind: 'reader'; readonly publicId: string }
  | { readonly kind: 'address'; readonly address: string }

/** An issue exactly as one reader gets it, and what there is to say about it. Sizes are UTF-8 bytes. */
export type Preview = {
  readonly kind: 'preview'
  readonly week: string
  readonly hash: string
  readonly subject: string
  readonly preheader: string
  readonly html: string
  readonly text: string
  readonly headers: Readonly<Record<string, string>>
  readonly sizes: { readonly html: number; readonly text: number }
  /** Where its counted links lead. */
  readonly links: readonly LinkTarget[]
  /** All of the above as it is handed to the transport, but for the batch's name in the tags. */
  readonly mail: Mail
  /** What the mail was filled in from: the issue's own edition, or the variant set beside it. */
  readonly edition: Edition
}

/** Why there is no preview: nobody of that address, or a reader who gets nothing of this issue. */
export type NoPreview =
  | { readonly kind: 'no such reader' }
  | { readonly kind: 'nothing'; readonly reason: string }

/**
 * The edition with one reader's links filled in, by the code that sends it: the one that their choice comes to. Where
 * nobody in particular is meant, the links are those of the test reader, and take nobody off the list.
 */
export async function previewEdition(
  deps: Deps,
  issue: Issue,
  as: Onlooker | string = { kind: 'weekly' },
): Promise<Preview | NoPreview> {
  const [key] = deps.keys
  if (!key || !issue.edition_hash) throw new Error(`Issue ${issue.week} has no edition, or there is no key`)
  const onlooker = typeof as === 'string' ? ({ kind: 'address', address: as } as const) : as
  const reader = await readerFor(deps.db, onlooker)
  if (!reader) return { kind: 'no such reader' }
  const variant = await variantFor(deps, issue, onlooker, reader.id)
  if (variant.kind === 'nothing') return variant

  const edition =
    variant.kind === 'variant' ? variant.edition : await loadEdition(deps.db, issue.edition_hash)
  const { week } = issue
  const stored = await linkTargets(deps.db, issue.id)
  const planned = variant.kind === 'variant' ? variant.links.map(({ id, target }) => ({ id, target })) : []
  const links = [...new Map([...stored, ...planned].map((link) => [link.id, link])).values()]
  const mail = personalise({ ...deps, key }, cutEdition(edition), reader, { week, batchId: 'preview' })
  return {
    ...{ kind: 'preview', week, hash: edition.hash, subject: mail.subject, preheader: edition.preheader },
    ...{ html: mail.html, text: mail.text, headers: mail.headers },
    sizes: { html: Buffer.byteLength(mail.html), text: Buffer.byteLength(mail.text) },
    links,
    ...{ mail, edition },
  }
}

const anybody = { id: undefined, publicId: testReader, address: 'reader@example.com' }

/** The reader that is meant, or a stand-in where none is; undefined when there is no such reader. */
async function readerFor(db: Kysely<Database>, as: Onlooker) {
  if (as.kind !== 'reader' && as.kind !== 'address') return anybody
  const row = as.kind === 'reader' ? await findReader(db, as.publicId) : await addressee(db, as.address)
  return row?.address ? { id: row.id, publicId: row.public_id, address: row.address } : undefined
}

async function addressee(db: Kysely<Database>, input: string) {
  const parsed = parseAddress(input)
  return parsed.ok ? readerAt(db, parsed.address) : undefined
}

/** As much of a variant as is looked at. */
type Shown =
  | { readonly kind: 'approved' }
  | Omit<Extract<Variant, { readonly kind: 'variant' }>, 'tells'>
  | Extract<Variant, { readonly kind: 'nothing' }>

/** What this onlooker's choice comes to; a reader for whom it was planned already has what was planned. */
async function variantFor(
  deps: Deps,
  issue: Issue,
  as: Onlooker,
  subscriberId: number | undefined,
): Promise<Shown> {
  if (subscriberId !== undefined && issue.planned_at !== null) return planned(deps.db, issue, subscriberId)
  const choice = await choiceFor(deps.db, issue.id, as, subscriberId)
  if (choice === undefined) return { kind: 'nothing', reason: 'they are not on the list now' }
  const everybody = await choiceOfEverybody(deps.db, issue.id)
  return choice === everybody ? { kind: 'approved' } : (await variantsOf(deps, issue))(choice)
}

async function choiceFor(
  db: Kysely<Database>,
  issueId: number,
  as: Onlooker,
  subscriberId: number | undefined,
): Promise<string | undefined> {
  if (subscriberId !== undefined) return choiceOfReader(db, issueId, subscriberId)
  switch (as.kind) {
    case 'follows':
      return choiceOfFollower(db, issueId, as.category)
    case 'weekly':
      return choiceOfEverybody(db, issueId)
    case 'new':
      return wholeWith([])
    default:
      return as.kind
  }
}

async function planned(db: Kysely<Database>, issue: Issue, subscriberId: number): Promise<Shown> {
  const delivery = await db
    .selectFrom('delivery as d')
    .leftJoin('batch as b', 'b.id', 'd.batch_id')
    .select(['b.edition_hash', 'd.reason'])
    .where('d.issue_id', '=', issue.id)
    .where('d.subscriber_id', '=', subscriberId)
    .executeTakeFirst()
  if (!delivery?.edition_hash)
    return { kind: 'nothing', reason: delivery?.reason ?? 'they joined after it was planned' }
  return { kind: 'variant', edition: await loadEdition(db, delivery.edition_hash), links: [] }
}
