import { createHash } from 'node:crypto'
import Handlebars from 'handlebars'
import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { ComposedIssue } from './compose.ts'

/** A link of an issue's mail that is counted: it leads to `/go/ID`, the same for every reader, and from there to its target. */
export type IssueLink =
  | { readonly kind: 'comparison'; readonly id: string; readonly slug: string; readonly target: string }
  /** Nobody can see it; who follows it reads mail by program. A person who finds it all the same lands on the issue. */
  | { readonly kind: 'trap'; readonly id: string; readonly target: string }

/** A stored link and where it leads. */
export type LinkTarget = { readonly id: string; readonly target: string }

/** The counted links of an issue: one for each comparison set in full, in their order, and the trap. Pure. */
export function linksOf(
  issue: Pick<ComposedIssue, 'week'> & { readonly comparisons: readonly { readonly slug: string }[] },
  { publicUrl }: { readonly publicUrl: string },
): readonly IssueLink[] {
  const comparisons = issue.comparisons.map(({ slug }) => comparisonLink(issue.week, slug, publicUrl))
  const trap = `${withoutSlash(publicUrl)}/issues/${issue.week}`
  return [...comparisons, { kind: 'trap', id: linkId(issue.week, `trap ${trap}`), target: trap }]
}

/** The counted links of what an issue corrects, in its order. They have no place: not every reader gets them. */
export function correctionLinks(
  { week, corrections }: Pick<ComposedIssue, 'week' | 'corrections'>,
  { publicUrl }: { readonly publicUrl: string },
): readonly IssueLink[] {
  return corrections.map(({ slug }) => comparisonLink(week, slug, publicUrl))
}

function comparisonLink(week: string, slug: string, publicUrl: string): IssueLink {
  const target = `${withoutSlash(publicUrl)}/compare/${encodeURIComponent(slug)}`
  return { kind: 'comparison', id: linkId(week, target), slug, target }
}

/** Where a counted link leads first. */
export function goUrl(publicUrl: string, { id }: { readonly id: string }): string {
  return `${withoutSlash(publicUrl)}/go/${id}`
}

/**
 * Stores the links of a draft with their places, in the draft's own transaction. What an earlier draft had stays, without
 * a place: somebody may have been shown it.
 */
export async function saveDraftLinks(
  trx: Transaction<Database>,
  issueId: number,
  links: readonly IssueLink[],
): Promise<void> {
  await trx.updateTable('link').set({ position: null }).where('issue_id', '=', issueId).execute()
  await addLinks(trx, issueId, links)
  const inOrder = links.filter(({ kind }) => kind === 'comparison').map(({ id }) => id)
  await sql`
    update link l set position = place.n
      from unnest(${inOrder}::text[]) with ordinality as place(id, n)
     where l.id = place.id`.execute(trx)
}

/** Stores what is not there yet, without a place: a month's roll-up has comparisons that the issue itself has not. */
export async function addLinks(
  trx: Transaction<Database>,
  issueId: number,
  links: readonly IssueLink[],
): Promise<void> {
  await sql`
    insert into link (id, issue_id, kind, comparison_id, target)
    select l.id, ${issueId}, l.kind, c.id, l.target
      from jsonb_to_recordset(${JSON.stringify(links)}::jsonb) as l(id text, kind text, slug text, target text)
      left join comparison c on c.slug = l.slug
    on conflict (id) do nothing`.execute(trx)
}

/** The stored links of an issue, those of its variants included. */
export function linkTargets(db: Kysely<Database>, issueId: number): Promise<LinkTarget[]> {
  return db.selectFrom('link').select(['id', 'target']).where('issue_id', '=', issueId).execute()
}

/** The edition's html as the web version shows it: every link leads straight to its target, and nothing is counted. */
export function withDirectLinks(html: string, publicUrl: string, links: readonly LinkTarget[]): string {
  return links.reduce(
    (direct, link) =>
      direct.replaceAll(goUrl(publicUrl, link), () => Handlebars.escapeExpression(link.target)),
    html,
  )
}

/** Where a link leads. What was found is kept: an id is made from its target, so it never leads elsewhere. */
export function targetReader(db: Kysely<Database>): (id: string) => Promise<string | undefined> {
  const known = new Map<string, string>()
  return async (id) => {
    const kept = known.get(id)
    if (kept) return kept
    const link = await db.selectFrom('link').select('target').where('id', '=', id).executeTakeFirst()
    if (link) known.set(id, link.target)
    return link?.target
  }
}

/**
 * Sixty bits of SHA-256 over week and target: the same draft has the same links, and no two weeks share one. Small letters
 * and figures only, because a mail program that makes links of plain text may leave a hyphen at the end out.
 */
function linkId(week: string, target: string): string {
  const hash = createHash('sha256').update(`${week}\n${target}`).digest('hex')
  return BigInt(`0x${hash.slice(0, 15)}`)
    .toString(36)
    .padStart(12, '0')
}

function withoutSlash(publicUrl: string): string {
  return publicUrl.replace(/\/$/, '')
}
