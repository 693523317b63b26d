import { type ComposedComparison, composeComparison } from '../issue/compose.ts'
import { excerpt } from '../issue/excerpt.ts'
import type { Appearance } from '../issue/find-appearance.ts'
import { categoryPath } from '../verdict/category.ts'
import { changeSentence } from '../verdict/changes.ts'
import type { Comparison, Tool } from '../verdict/comparison.ts'
import type { DatedChange } from '../verdict/list-changes.ts'
import { reviewerSplit } from '../verdict/panel.ts'
import { lensName } from '../verdict/review.ts'
import { leastOf } from '../verdict/vote.ts'
import { readers, setAsideWords, votesSoFar } from './community-words.ts'

/** What is known of a published comparison besides what it says. */
type Story = {
  readonly changes: readonly DatedChange[]
  readonly appearance: Appearance | undefined
  /** The newsletter's: its days are the page's days. */
  readonly zone: string
  readonly publicUrl: string
}

/** A comparison as its page has it: what the mail says of it, every word that the reviewers said, and what became of it. */
export function comparisonView(
  comparison: Comparison,
  { changes, appearance, zone, publicUrl }: Story = untold,
) {
  const composed = composeComparison(comparison)
  return {
    ...{ title: comparison.title, category: composed.category, sentence: composed.sentence },
    ...{ priceLine: composed.priceLine, communityLine: composed.communityLine },
    tools: comparison.tools.map((tool, side) => toolView(tool, composed.tools[side] ?? composed.tools[0])),
    split: splitView(comparison),
    splitLine: splitLine(composed),
    scorecard: scorecard(comparison),
    changes: changes.map((change) => sayChange(change, zone)),
    published: dateIn(comparison.publishedAt, zone),
    appearance: appearance ? issueLink(appearance, publicUrl) : '',
    fewestVotes: leastOf(comparison.tools[0].community),
    ...unlinked,
  }
}

const untold: Story = { changes: [], appearance: undefined, zone: 'UTC', publicUrl: '' }

/** What only the public page has: its head, and the form to sign up. */
const unlinked = { page: '', linkedData: '', form: '' }

/** For search engines and link previews: the question and its answer, in 160 characters at most. */
export function describe({ tools: [a, b] }: Comparison, { sentence }: { readonly sentence: string }): string {
  return excerpt(`${a.name} or ${b.name}: which one should you ship with? ${sentence}`, 160).text
}

function toolView(tool: Tool, composed: ComposedComparison['tools'][number]) {
  const { stamp, panel, panelLabel, community, entry, priceNote } = composed
  return {
    ...{ slug: tool.slug, categoryPath: categoryPath(tool.category) },
    ...{ name: tool.name, category: tool.category, tagline: tool.tagline, description: tool.description },
    ...{ url: tool.url ?? '', stamp, percent: panel.percent, panelLabel, entry, priceNote },
    community: community ? `${community.percent}%` : '—',
    votes: community ? `of ${readers(community.votes)}` : votesSoFar(tool.community),
    setAside: setAsideWords(tool.community),
  }
}

/** The grid: a row for each of the panel, marked where it ships the one and skips the other. */
function splitView({ tools }: Comparison) {
  return reviewerSplit(tools).map(({ reviewer, verdicts, parts }) => ({
    ...{ reviewer, lens: lensName(reviewer), parts },
    verdicts: verdicts.map((verdict) => verdict ?? ''),
    hasSpoken: verdicts.some((verdict) => verdict !== null),
  }))
}

function splitLine({ split }: ComposedComparison): string {
  const apart = split.filter(({ parts }) => parts).map(({ lens }) => lens)
  if (apart.length === 0) return 'No reviewer ships one and skips the other.'
  if (apart.length === split.length) return 'Every reviewer ships one and skips the other.'
  const verbs = apart.length === 1 ? 'ships one and skips the other' : 'ship one and skip the other'
  return `${list.format(apart)} ${verbs}; the rest of the panel does not tell them apart.`
}

/** The reviewers' full quotes, lens by lens, the two tools side by side. */
function scorecard({ tools }: Comparison) {
  return reviewerSplit(tools).flatMap(({ reviewer }) => {
    const said = tools.map((tool) => {
      const review = tool.reviews.find((one) => one.reviewer === reviewer)
      return { tool: tool.name, verdict: review?.verdict ?? '', quote: review?.quote ?? '' }
    })
    return said.some(({ quote }) => quote !== '') ? [{ reviewer, lens: lensName(reviewer), said }] : []
  })
}

function sayChange({ at, ...change }: DatedChange, zone: string) {
  const { long, iso } = dateIn(at, zone)
  return { iso, sentence: changeSentence(change, long) }
}

function issueLink({ week, subject, date }: Appearance, publicUrl: string) {
  return { week, subject, date: longDate(date), url: `${publicUrl}/issues/${week}` }
}

function dateIn(instant: Temporal.Instant, zone: string) {
  const date = instant.toZonedDateTimeISO(zone).toPlainDate()
  return { iso: date.toString(), long: longDate(date) }
}

function longDate(date: Temporal.PlainDate): string {
  return date.toLocaleString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' })
}

const list = new Intl.ListFormat('en-GB')
