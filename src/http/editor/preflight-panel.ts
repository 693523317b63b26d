import { preflightOf } from '../../delivery/preflight.ts'
import type { Issue } from '../../issue/issue.ts'
import { type Finding, judgements } from '../../issue/preflight/finding.ts'
import { mends } from '../../issue/preflight/mend.ts'
import type { DeskDeps } from './desk.ts'

/** What was checked before it goes out, blocks first; undefined while there is no edition, and once it went. */
export async function preflightPanel(
  deps: DeskDeps,
  issue: Issue,
): Promise<Record<string, unknown> | undefined> {
  if (issue.edition_hash === null || issue.planned_at !== null || issue.state === 'cancelled')
    return undefined
  const findings = await preflightOf(deps, issue)
  const of = (level: Finding['level']) => findings.filter((one) => one.level === level)
  const [blocks, warnings, passes] = [of('block'), of('warn'), of('pass')]
  return {
    counts: [
      ...(blocks.length > 0 ? [`${blocks.length} ${blocks.length === 1 ? 'stops' : 'stop'} it`] : []),
      `${warnings.length} to look at`,
      `${passes.length} fine`,
    ].join(', '),
    verdict: verdictOf(blocks.length, warnings.length),
    isBlocked: blocks.length > 0,
    groups: [
      { name: 'block', title: 'Stops it', lines: blocks.map((one) => lineView(one, issue)) },
      { name: 'warn', title: 'To look at', lines: warnings.map((one) => lineView(one, issue)) },
    ].filter(({ lines }) => lines.length > 0),
    passes: passes.map((one) => lineView(one, issue)),
  }
}

function verdictOf(blocks: number, warnings: number): string {
  if (blocks > 0) return 'As it is, it does not go out: not by itself, and not by hand.'
  return warnings > 0 ? 'It may go out. Read what is below first.' : 'It may go out.'
}

/** More evidence than this is folded away. */
const shownAtOnce = 3

function lineView({ id, level, title, what, evidence, place }: Finding, { week }: Issue) {
  const jump = jumpTo(place)
  const proofs = evidence.filter((one) => !what.includes(one))
  // One more is shown rather than folded: the line that would say so is as long.
  const shown = proofs.length > shownAtOnce + 1 ? shownAtOnce : proofs.length
  return {
    ...{ id, title, what: `${what.charAt(0).toUpperCase()}${what.slice(1)}.` },
    ...{ evidence: proofs.slice(0, shown), moreEvidence: proofs.slice(shown) },
    ...{ level, mend: level === 'block' ? mends[id] : '', jump },
    variable: jump ? '' : place,
    pass: level === 'block' && judgements.includes(id) ? `/desk/issues/${week}/let-pass/${id}` : '',
  }
}

/** Where to mend it, as a link of this page or to another; undefined for an environment variable. */
function jumpTo(place: string): { readonly url: string; readonly label: string } | undefined {
  if (place.startsWith('#comparison-')) return { url: place, label: 'Go to this comparison' }
  if (place.startsWith('#')) return { url: place, label: anchors[place] ?? 'Go there' }
  if (!place.startsWith('/')) return undefined
  return { url: place, label: /\d{4}-W\d{2}$/.exec(place)?.[0].replace(/^/, 'Open ') ?? 'See it' }
}

const anchors: Readonly<Record<string, string>> = {
  '#subject': 'Go to the subject',
  '#preheader': 'Go to the preheader',
  '#content': 'Go to the content',
  '#edition': 'See the edition',
}
