import { printable } from '../mail/printable.ts'
import {
  type ComposedComparison,
  type ComposedIssue,
  type ComposedSplitRow,
  type ComposedTool,
  few,
} from './compose.ts'
import { holeFor } from './edition.ts'
import { excerpt } from './excerpt.ts'
import { setIntro } from './intro.ts'
import { correctionLinks, goUrl, linksOf } from './links.ts'
import { passageMarks } from './passage.ts'

/** What the mail says around the issue: where its links lead, and who sends it. */
export type IssueSetting = { readonly publicUrl: string; readonly postalAddress: string }

type Verdict = ComposedTool['stamp'] | null

/** Characters of a tagline: less in an issue with many, as of a description (`compose.ts`). */
const longestTagline = { few: 140, many: 100 } as const
/** Of a title, where it only tells one link from another. */
const longestLabel = 80
/** Blank room behind the preheader, so that an inbox does not go on with the masthead. */
/** Where the editor's note goes: no data can hold this character (see `printable`), so templates need no unescaped field. */
export const introMark = '\u0003'
const preheaderEnd = '\u2007\u034f'.repeat(60)

/** An issue as the mail's templates read it: every word printable, every condition a boolean, a hole per personal link. */
export function issueView(given: ComposedIssue, setting: IssueSetting) {
  const issue = clean(given)
  const intro = setIntro(issue.intro)
  const links = linksOf(given, setting)
  const urls = links.map((link) => goUrl(setting.publicUrl, link))
  const corrected = correctionLinks(given, setting)
  return {
    ...issue,
    ...clean(setting),
    preheaderEnd,
    intro: issue.intro === '' ? '' : introMark,
    introHtml: intro.html,
    introText: intro.text,
    shipStamp: stampView('ship'),
    skipStamp: stampView('skip'),
    corrections: issue.corrections.map((correction, index) => ({
      ...{ ...correction, ...passageMarks(correction) },
      url: goUrl(setting.publicUrl, corrected[index] ?? { id: '' }),
    })),
    glance: issue.glance.map((comparison) => ({
      ...comparison,
      winnerStamp: stampView(winningStamp(comparison)),
    })),
    comparisons: issue.comparisons.map((comparison, index) => ({
      ...comparison,
      place: `${index + 1} of ${issue.comparisons.length}`,
      url: urls[index] ?? '',
      label: excerpt(comparison.title, longestLabel).text,
      follow: `${holeFor('preferences')}/follow/${comparison.slug}`,
      tools: comparison.tools.map((tool) => ({
        ...toolView(tool, longestTagline[issue.comparisons.length > few ? 'many' : 'few']),
        vote: voteLink(issue.week, tool),
      })),
      split: comparison.split.map(splitView),
    })),
    trap: urls[links.findIndex(({ kind }) => kind === 'trap')] ?? '',
    outcome: issue.outcome ?? '',
    unsubscribe: holeFor('unsubscribe'),
    preferences: holeFor('preferences'),
    webVersion: holeFor('webVersion'),
  }
}

/** A copy in which every string is `printable`. */
function clean<Data>(data: Data): Data {
  return JSON.parse(JSON.stringify(data), (_, value) =>
    typeof value === 'string' ? printable(value) : value,
  )
}

/** The stamp beside the winner: its own, or the one that both tools share. */
function winningStamp({ winner, tools: [a, b] }: ComposedComparison): Verdict {
  return winner === b.name ? b.stamp : a.stamp
}

function toolView(tool: ComposedTool, tagline: number) {
  return {
    ...tool,
    account: accountOf(tool),
    tagline: excerpt(tool.tagline, tagline).text,
    stamp: stampView(tool.stamp),
    ships: tool.panel.percent,
    skips: 100 - tool.panel.percent,
  }
}

/** The reader's own link to vote on a tool, but for the `.ship` or `.skip` that it ends with (`src/subscriber/vote-link.ts`). */
function voteLink(week: string, { slug }: ComposedTool): string {
  return `${holeFor('vote')}.${week}.${slug}`
}

/** What follows the tool's name, set bold at the start of its description: the rest of a sentence that begins with it, or all. */
function accountOf({ name, description: { text } }: ComposedTool): string {
  const rest = text.slice(name.length)
  return text.startsWith(name) && !/^[\p{L}\p{N}]/u.test(rest) ? rest : ` — ${text}`
}

/** One reviewer's votes; `row` has them as a line of text in columns. */
function splitView(
  { lens, parts, verdicts }: ComposedSplitRow,
  _: number,
  rows: readonly ComposedSplitRow[],
) {
  const widest = Math.max(...rows.map((row) => row.lens.length))
  const cells = [lens.padEnd(widest), ...verdicts.map((verdict) => (verdict ?? '—').padEnd(4))]
  return {
    lens,
    parts,
    votes: verdicts.map(stampView),
    row: `  ${cells.join('   ')}${parts ? '   parts them' : ''}`.trimEnd(),
  }
}

function stampView(verdict: Verdict) {
  return {
    word: verdict?.toUpperCase() ?? '—',
    isShip: verdict === 'ship',
    isSkip: verdict === 'skip',
    isSplit: verdict === 'split',
  }
}
