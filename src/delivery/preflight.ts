import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import { developmentDefaults } from '../config.ts'
import { cutEdition, type Edition } from '../issue/edition.ts'
import type { Issue } from '../issue/issue.ts'
import { type LinkTarget, linkTargets } from '../issue/links.ts'
import { type Audit, axeFinding } from '../issue/preflight/audit.ts'
import { editionFindings } from '../issue/preflight/edition.ts'
import { type Finding, found, inOrder } from '../issue/preflight/finding.ts'
import type { Published } from '../issue/preflight/leftovers.ts'
import { type KindOfMail, mailFindings, sizeFinding, type Weight, weigh } from '../issue/preflight/mail.ts'
import { addressesIn, squeezed } from '../issue/preflight/markup.ts'
import { weekFinding } from '../issue/preflight/week.ts'
import { preheaderFinding, subjectFinding } from '../issue/preflight/words.ts'
import type { IssueSetting } from '../issue/render.ts'
import type { MailTemplates } from '../mail/mail-templates.ts'
import type { WireFacts } from '../mail/wire.ts'
import { audienceNow } from '../subscriber/audience.ts'
import { readToken, type SigningKey } from '../subscriber/token.ts'
import { choicesOf, readChoice } from './choice.ts'
import { feedbackOf } from './feedback.ts'
import { keepCheck, keptChecks, type Variants } from './kept-checks.ts'
import { audienceFinding, bouncesFinding, complaintsFinding, lastIssue } from './last-issue.ts'
import { withLetPass } from './let-pass.ts'
import { loadEdition } from './load-edition.ts'
import { deadLinkFinder } from './own-links.ts'
import { personalise, testReader } from './personalise.ts'
import { type SenderConfig, senderFinding } from './sender-check.ts'
import { variantsOf } from './variant.ts'

export type PreflightDeps = {
  readonly db: Kysely<Database>
  readonly clock: Clock
  readonly wire: WireFacts
  readonly listId: string
  readonly keys: readonly SigningKey[]
  readonly templates: MailTemplates
  readonly setting: IssueSetting
  readonly comparisons: { readonly least: number }
  /** Left out where nobody read one: then the sender is judged by what goes over the wire. */
  readonly config?: SenderConfig | undefined
}

/**
 * The whole list for an issue with an edition: one line to each id, in the list's own order. What
 * is dear was kept by `checkEdition`, or is looked at now; what readers' own variants come to is only kept, because a
 * large list is read for it: before that it speaks of the issue's own edition.
 */
export async function preflightOf(deps: PreflightDeps, issue: Issue): Promise<readonly Finding[]> {
  if (!issue.edition_hash) return []
  const edition = await loadEdition(deps.db, issue.edition_hash)
  const kept = await keptChecks(deps.db, edition.hash)
  const check = await openCheck(deps, issue)
  const own = await check.look('everybody', edition)
  const findings = inOrder([
    ...(await freshFindings(deps, issue, edition)),
    ...own.findings,
    ...(kept.variants?.findings ?? []),
    ...(own.weight ? [sizeFinding([own.weight, ...(kept.variants?.weights ?? [])])] : []),
    ...(kept.edition ?? (await readOnce(own.mail, edition))),
    axeFinding(kept.axe),
  ])
  return withLetPass(deps.db, issue, findings)
}

/** The lines that stop an issue; none when it may go. */
export async function blocksOf(deps: PreflightDeps, issue: Issue): Promise<readonly Finding[]> {
  return (await preflightOf(deps, issue)).filter(({ level }) => level === 'block')
}

/** Makes what is dear of an edition and keeps it: what its bytes say, every kind of mail that its audience gets, and what a browser sees. */
export async function checkEdition(
  deps: PreflightDeps & { readonly audit?: Audit | undefined },
  issue: Issue,
): Promise<void> {
  const { db, clock, audit } = deps
  if (!issue.edition_hash) return
  const edition = await loadEdition(db, issue.edition_hash)
  const kept = await keptChecks(db, edition.hash)
  const check = await openCheck(deps, issue)
  const { mail } = await check.look('everybody', edition)
  if (!kept.edition) await keepCheck(db, edition.hash, 'edition', await readOnce(mail, edition), clock())
  await keepCheck(db, edition.hash, 'variants', await checkVariants(deps, issue, check), clock())
  const isLookedAt = kept.axe?.kind === 'ran'
  if (audit && mail && !isLookedAt) await keepCheck(db, edition.hash, 'axe', await audit(mail.html), clock())
}

/** What a single kind of mail is stopped for; empty when it may go. */
export function stopsOf({ findings, weight }: Looked): readonly Finding[] {
  const all = [...(weight ? [sizeFinding([weight])] : []), ...findings]
  return all.filter(({ level }) => level === 'block')
}

/** One kind of mail, looked at: the mail itself is missing where it cannot even be made. */
export type Looked = {
  readonly mail: KindOfMail | undefined
  readonly weight: Weight | undefined
  readonly findings: readonly Finding[]
}
/** Looks at one kind of mail after another, each set as it would leave; `more` are links that its issue has not stored yet. */
export type Check = { look(kind: string, edition: Edition, more?: readonly LinkTarget[]): Promise<Looked> }

/** Reads once what all kinds of an issue's mail are measured against. */
export async function openCheck(deps: PreflightDeps, issue: Issue): Promise<Check> {
  const { db, keys, setting, wire } = deps
  const [key] = keys
  const stored = await linkTargets(db, issue.id)
  const published = await publishedTexts(db, issue)
  const { publicUrl } = wire
  const findDead = deadLinkFinder({ db, keys, publicUrl }, issue)
  const isOurToken = (token: string) => readToken(keys, 'unsubscribe', token) === testReader
  const reader = { publicId: testReader, address: 'reader@example.com' }

  return {
    async look(kind, edition, more = []) {
      if (!key) return { mail: undefined, weight: undefined, findings: [] }
      const cut = cutOrWhyNot(edition)
      if ('problem' in cut) {
        const finding = found('unsubscribe', 'block', cut.problem, { place: 'SIGNING_KEYS' })
        return { mail: undefined, weight: undefined, findings: [finding] }
      }
      const set = personalise({ ...deps, key }, cut, reader, { week: issue.week, batchId: 'preflight' })
      const mail: KindOfMail = { ...set, kind, preheader: edition.preheader }
      const urls = [
        ...addressesIn(mail.html).map(({ url }) => url),
        ...(mail.text.match(/https?:\/\/[^\s<>]+/g) ?? []),
      ]
      const dead = await findDead(urls, [...more, ...stored])
      const { postalAddress } = setting
      return {
        mail,
        weight: weigh(mail),
        findings: mailFindings(mail, {
          ...{ publicUrl, postalAddress, inventedAddress: developmentDefaults.POSTAL_ADDRESS },
          ...{ isOurToken, published, dead },
        }),
      }
    },
  }
}

function cutOrWhyNot(edition: Edition): ReturnType<typeof cutEdition> | { readonly problem: string } {
  try {
    return cutEdition(edition)
  } catch {
    return { problem: 'the unsubscribe link is missing from a part: there is no place for it' }
  }
}

/** Renders what each choice of the audience comes to, as it would be sent, and keeps what is not well with it. */
async function checkVariants(deps: PreflightDeps, issue: Issue, check: Check): Promise<Variants> {
  const variantFor = await variantsOf(deps, issue)
  const weights: Weight[] = []
  const findings: Finding[] = []
  for (const choice of await choicesOf(deps.db, issue.id)) {
    const variant = await variantFor(choice)
    if (variant.kind !== 'variant') continue
    const looked = await check.look(nameOf(choice), variant.edition, variant.links)
    if (looked.weight) weights.push(looked.weight)
    findings.push(...looked.findings.filter(({ level }) => level !== 'pass'))
  }
  return { weights: weights.toSorted((a, b) => b.bytes - a.bytes).slice(0, 5), findings: inOrder(findings) }
}

function nameOf(key: string): string {
  const choice = readChoice(key)
  switch (choice.kind) {
    case 'weekly':
      return choice.corrections.length === 0
        ? 'those who need no correction'
        : 'those who need other corrections'
    case 'monthly':
      return 'those who read once a month'
    case 'followed':
      return `those who follow ${choice.comparisonIds.length} of its comparisons`
  }
}

/** What changes without the edition changing: cheap at any size of list. */
async function freshFindings(
  deps: PreflightDeps,
  issue: Issue,
  { subject, preheader }: Edition,
): Promise<readonly Finding[]> {
  const { db, comparisons } = deps
  const last = await lastIssue(db, issue)
  const feedback = last && (await feedbackOf(db, last.id))
  const counts = await comparisonCounts(db, issue)
  return [
    weekFinding(counts.own, comparisons.least, counts.earlier),
    subjectFinding(subject, last),
    preheaderFinding(preheader, subject),
    audienceFinding(await audienceNow(db), last),
    senderFinding(deps),
    complaintsFinding(last, feedback),
    bouncesFinding(last, feedback),
  ]
}

/** How many comparisons this issue has, and the last eight that went out had. */
async function comparisonCounts(db: Kysely<Database>, issue: Issue) {
  const { rows } = await sql<{ id: number; count: number }>`
    select i.id, (select count(*) from issue_comparison ic where ic.issue_id = i.id) as count
      from issue i where i.id = ${issue.id}
    union all
    select * from (
      select i.id, (select count(*) from issue_comparison ic where ic.issue_id = i.id) as count
        from issue i where i.planned_at is not null and i.id <> ${issue.id}
       order by i.planned_at desc limit 8) earlier`.execute(db)
  return {
    own: rows.find(({ id }) => id === issue.id)?.count ?? 0,
    earlier: rows.filter(({ id }) => id !== issue.id).map(({ count }) => count),
  }
}

/**
 * Every text of the comparisons that this issue and those of ten weeks before it had, as they stood in it and as of this
 * issue's cut-off, for a roll-up reaches back; and of what it corrects.
 */
async function publishedTexts(db: Kysely<Database>, issue: Issue): Promise<Published> {
  const { rows } = await sql<{ document: object }>`
    with told as (
      select ic.comparison_id, ic.revision
        from issue i join issue_comparison ic on ic.issue_id = i.id
       where i.due_at <= ${issue.due_at} and i.due_at > ${issue.due_at.subtract({ hours: 24 * 70 })}
    )
    select r.document
      from comparison_revision r
     where (r.comparison_id, r.revision) in (
       select comparison_id, revision from told
       union
       select told.comparison_id, max(v.revision)
         from told join comparison_revision v on v.comparison_id = told.comparison_id
        where v.revised_at <= ${issue.cutoff_at} group by told.comparison_id
       union
       select c.comparison_id, either.revision
         from issue_correction c cross join lateral (values (c.from_revision), (c.revision)) either (revision)
        where c.issue_id = ${issue.id})`.execute(db)
  const [texts, names] = [new Set<string>(), new Set<string>()]
  JSON.stringify(
    rows.map(({ document }) => document),
    (key, value) => {
      if (typeof value === 'string') texts.add(squeezed(value))
      if (typeof value === 'string' && key === 'name') names.add(squeezed(value))
      return value
    },
  )
  return { texts: [...texts], names: [...names] }
}

/** What the bytes say, remembered for the last few editions of this process: a page is opened more often than an edition is set. */
async function readOnce(mail: KindOfMail | undefined, { hash }: Edition): Promise<readonly Finding[]> {
  if (!mail) return []
  const before = remembered.get(hash)
  if (before) return before
  const findings = await editionFindings(mail)
  remembered.set(hash, findings)
  const [oldest] = remembered.keys()
  if (remembered.size > 8 && oldest !== undefined) remembered.delete(oldest)
  return findings
}
const remembered = new Map<string, readonly Finding[]>()
