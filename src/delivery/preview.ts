import type { Kysely } from 'kysely'
import type { Database } from '../../db/schema.ts'
import { cutEdition } from '../issue/edition.ts'
import type { Issue } from '../issue/issue.ts'
import { type LinkTarget, linkTargets } from '../issue/links.ts'
import { type Finding, preflight } from '../issue/preflight.ts'
import type { IssueSetting } from '../issue/render.ts'
import type { MailTemplates } from '../mail/mail-templates.ts'
import type { WireFacts } from '../mail/wire.ts'
import { parseAddress } from '../subscriber/address.ts'
import type { SigningKey } from '../subscriber/token.ts'
import { choiceOfReader } from './choice.ts'
import { personalise, testReader } from './personalise.ts'
import { loadEdition } from './send.ts'
import { type Variant, variantsOf } from './variant.ts'

type Deps = {
  readonly db: Kysely<Database>
  readonly wire: WireFacts
  readonly listId: string
  readonly keys: readonly SigningKey[]
  readonly templates: MailTemplates
  readonly setting: IssueSetting
}

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
  readonly preflight: readonly Finding[]
}

/** Why there is no preview: nobody of that address, or a reader who gets nothing of this issue. */
export type NoPreview =
  | { readonly kind: 'no such reader' }
  | { readonly kind: 'nothing'; readonly reason: string }

/** The edition with one reader's links filled in, by the code that sends it; with `as`, the one that this reader's choice comes to. */
export async function previewEdition(deps: Deps, issue: Issue, as?: string): Promise<Preview | NoPreview> {
  const [key] = deps.keys
  if (!key || !issue.edition_hash) throw new Error(`Issue ${issue.week} has no edition, or there is no key`)
  const reader = as === undefined ? anybody : await readerAt(deps.db, as)
  if (!reader) return { kind: 'no such reader' }
  const variant = await editionFor(deps, issue, reader.id)
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
    preflight: preflight({ ...mail, preheader: edition.preheader, links }),
  }
}

const anybody = { id: undefined, publicId: testReader, address: 'reader@example.com' }

/** What was planned for this reader once it is; before that, what their choice would come to. */
async function editionFor(deps: Deps, issue: Issue, subscriberId: number | undefined): Promise<Variant> {
  if (subscriberId === undefined) return { kind: 'approved' }
  if (issue.planned_at === null) {
    const choice = await choiceOfReader(deps.db, issue.id, subscriberId)
    if (choice === undefined) return { kind: 'nothing', reason: 'they are not on the list now' }
    return (await variantsOf(deps, issue))(choice)
  }
  const delivery = await deps.db
    .selectFrom('delivery as d')
    .leftJoin('batch as b', 'b.id', 'd.batch_id')
    .select(['b.edition_hash', 'd.reason'])
    .where('d.issue_id', '=', issue.id)
    .where('d.subscriber_id', '=', subscriberId)
    .executeTakeFirst()
  if (!delivery?.edition_hash)
    return { kind: 'nothing', reason: delivery?.reason ?? 'they joined after it was planned' }
  return { kind: 'variant', edition: await loadEdition(deps.db, delivery.edition_hash), links: [] }
}

async function readerAt(db: Kysely<Database>, input: string) {
  const parsed = parseAddress(input)
  if (!parsed.ok) return undefined
  const row = await db
    .selectFrom('subscriber')
    .select(['id', 'public_id'])
    .where('address', '=', parsed.address)
    .executeTakeFirst()
  return row && { id: row.id, publicId: row.public_id, address: parsed.address }
}
