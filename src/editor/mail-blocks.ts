import { createHash } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../../db/schema.ts'
import type { Clock } from '../clock.ts'
import type { Config } from '../config.ts'
import type { Issue } from '../issue/issue.ts'
import { type Finding, judgements } from '../issue/preflight/finding.ts'
import { mends } from '../issue/preflight/mend.ts'
import type { Mail } from '../mail/email.ts'
import { printable } from '../mail/printable.ts'
import { editorsOf } from './editors.ts'
import type { CodeMailDeps } from './mail-code.ts'
import { postNow } from './post-now.ts'

export type TellDeps = CodeMailDeps & {
  /** Left out where there are no editors to tell. */
  readonly config?: Pick<Config, 'editors' | 'production'> | undefined
}

/** Told ahead there is time to mend it; told when it stopped the issue, somebody has to act. */
export type Occasion = 'ahead' | 'stopped'

/** After this long, editors whom no mail could be sent are told again. */
const tryAgainAfter = Temporal.Duration.from('PT10M')

/**
 * Mails every editor what stops an issue: once for each occasion and set of lines, however often it is asked and by
 * however many processes. Only where no mail left at all is it tried again.
 */
export async function tellOfBlocks(
  deps: TellDeps,
  issue: Issue,
  occasion: Occasion,
  blocks: readonly Finding[],
): Promise<void> {
  const editors = deps.config ? editorsOf(deps.config) : []
  const lines = [...new Set(blocks.map(({ id }) => id))].sort().join(' ')
  if (editors.length === 0 || lines === '') return
  const at = await claim(deps, issue.id, occasion, lines)
  if (!at) return
  const id = createHash('sha256').update(`${issue.id} ${occasion} ${lines} ${at}`).digest('hex').slice(0, 16)
  const outcomes = []
  for (const [number, to] of editors.entries()) {
    const mail = setBlockMail(deps, issue, occasion, blocks, { id: `${id}-${number + 1}`, to })
    const about = { words: 'editors told of a block', facts: { issue: issue.week, occasion, lines } }
    outcomes.push(await postNow(deps, mail, `wv1/blocked/${id}/${number + 1}`, about))
  }
  if (outcomes.every((outcome) => outcome === 'retry' || outcome === 'halt')) return
  await deps.db
    .updateTable('preflight_notice')
    .set({ told_at: deps.clock() })
    .where('issue_id', '=', issue.id)
    .where('occasion', '=', occasion)
    .where('lines', '=', lines)
    .execute()
}

/** The instant of our claim; undefined when somebody else told them, or is about to. */
async function claim(
  { db, clock }: { db: Kysely<Database>; clock: Clock },
  issueId: number,
  occasion: Occasion,
  lines: string,
): Promise<Temporal.Instant | undefined> {
  const now = clock()
  const { rows } = await sql<{ claimed_at: Temporal.Instant }>`
    insert into preflight_notice as n (issue_id, occasion, lines, claimed_at)
    values (${issueId}, ${occasion}, ${lines}, ${now}::timestamptz)
    on conflict (issue_id, occasion, lines) do update set claimed_at = excluded.claimed_at
      where n.told_at is null and n.claimed_at < ${now.subtract(tryAgainAfter)}::timestamptz
    returning claimed_at`.execute(db)
  return rows[0]?.claimed_at
}

/** What stops it, how each is mended, and the way to the desk, in the letters' own hand. */
export function setBlockMail(
  { letterTemplates, wire, setting }: Pick<TellDeps, 'letterTemplates' | 'wire' | 'setting'>,
  { week, due_at, timezone }: Pick<Issue, 'week' | 'due_at' | 'timezone'>,
  occasion: Occasion,
  blocks: readonly Finding[],
  { id, to }: { readonly id: string; readonly to: string },
): Mail {
  const titles = blocks.map(({ title }) => title.toLowerCase()).join(', ')
  const due = timeOf(due_at, timezone)
  const words = occasion === 'ahead' ? ahead(week, due) : stopped(week, due)
  const canPass = blocks.some(({ id }) => judgements.includes(id))
  const view = {
    ...{ subject: printable(`${words.subject}: ${titles}`).slice(0, 150), preheaderEnd: '' },
    ...{
      preheader: printable(blocks.map(({ what }) => what).join('; ')).slice(0, 140),
      heading: words.heading,
    },
    paragraphs: [words.lede],
    items: blocks.map(({ id, title, what }) => ({
      title,
      line: printable(`${sentence(what)} ${mends[id]}`),
    })),
    button: { label: `Open ${week} at the desk`, url: `${wire.publicUrl}/desk/issues/${week}#preflight` },
    afterwards: [
      'It is checked again every minute, so that it goes by itself once nothing stops it; hold it back if it should not.',
      ...(canPass ? ['What is a matter of judgement you can let pass at the desk, with your reason.'] : []),
    ],
    why: 'You get this mail because your address is among the editors of Weekly AI Tool Verdicts.',
    ...{ links: [], postalAddress: printable(setting.postalAddress) },
  }
  return {
    id: `blocked.${id}`,
    from: wire.from,
    ...(wire.replyTo && { replyTo: wire.replyTo }),
    ...{ to, subject: view.subject, html: letterTemplates.html(view), text: letterTemplates.text(view) },
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
    tags: { kind: 'blocked', issue: week },
  }
}

function ahead(week: string, due: string) {
  return {
    subject: `${week} would be stopped`,
    heading: `${week} would not go out`,
    lede: `It is due ${due}. As it is now, preflight would stop it; there is time to mend that.`,
  }
}

function stopped(week: string, due: string) {
  return {
    subject: `${week} was not sent`,
    heading: `${week} was not sent`,
    lede: `It was due ${due}, and preflight stopped it. No reader has it, and nothing is lost.`,
  }
}

function timeOf(instant: Temporal.Instant, zone: string): string {
  const local = instant.toZonedDateTimeISO(zone)
  const day = local.toPlainDate().toLocaleString('en-GB', { weekday: 'long', day: 'numeric', month: 'long' })
  const place = zone.split('/').at(-1)?.replaceAll('_', ' ') ?? zone
  return `${day.replace(',', '')}, ${local.toPlainTime().toString({ smallestUnit: 'minute' })} ${place}`
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1).replace(/\.$/, '')}.`
}
