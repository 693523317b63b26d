import type { FlagState } from '../../db/schema.ts'
import type { Flag } from './list-flags.ts'

/** What a flag is about, in one line: "14 votes to ship Loom within 5 minutes". */
export function flagTitle({ rule, evidence, names }: Flag): string {
  const { votes, readers, tools } = evidence
  const [tool] = tools
  const verb = tool && tool.skip > tool.ship ? 'skip' : 'ship'
  const name = names.get(tool?.toolId ?? 0) ?? 'a tool'
  const many = `${grouped(readers)} readers`
  switch (rule) {
    case 'pace':
      return `${grouped(votes)} votes to ${verb} ${name} within ${lastingOf(evidence)}`
    case 'network':
      return `${many} of one network ${verb} ${name}`
    case 'newcomers':
      return `${many} who had just come ${verb} ${name}`
    case 'alike':
      return `${many} vote alike on ${grouped(tools.length)} tools`
    case 'origin':
      return `${many} who came together vote as one on ${grouped(tools.length)} tools`
  }
}

/** Why that is unusual, in a sentence or two. */
export function flagReason({ rule, evidence }: Flag): string {
  const { figures, votes } = evidence
  const usual = grouped(figures.usual ?? 0)
  switch (rule) {
    case 'pace':
      return `At the pace of the other tools at that time, ${figures.usual === 1 ? 'hardly one' : `about ${usual}`} would have come.`
    case 'network':
      return figures.by === 'newcomers'
        ? `They confirmed their addresses within the two days before they voted. Of 100 other votes on it, ${usual} are by such readers.`
        : `Of 100 readers from elsewhere, ${usual} vote so on it.`
    case 'newcomers':
      return `They confirmed their addresses within the two days before they voted. Of 100 votes on other tools, ${usual} are by such readers.`
    case 'alike':
      return `The same on every tool, and on no other, in three issues at least. ${nearWords(figures.near ?? 0)}`
    case 'origin':
      return `They signed up from one network within days of each other, and hardly one of their ${grouped(votes)} votes goes against the others, where other readers disagree.`
  }
}

/** Where a flag stands, in words. */
export const stateWords: Readonly<Record<FlagState, string>> = {
  ...{ open: 'open', left: 'left counted', 'set aside': 'set aside' },
}

function nearWords(near: number): string {
  if (near === 0) return 'No other reader’s votes differ from theirs by only one.'
  return `${near === 1 ? 'One other reader’s votes differ' : `The votes of ${grouped(near)} others differ`} from theirs by only one.`
}

/** "5 minutes", "3 hours", "2 days": how long a burst took, rounded up. */
function lastingOf({ from, to }: Flag['evidence']): string {
  const minutes = Temporal.Instant.from(from).until(Temporal.Instant.from(to)).total('minutes')
  const [size, unit] = minutes > 2880 ? [1440, 'day'] : minutes > 120 ? [60, 'hour'] : [1, 'minute']
  const many = Math.max(1, Math.ceil(minutes / size))
  return many === 1 ? `a ${unit}` : `${many} ${unit}s`
}

function grouped(count: number): string {
  return count.toLocaleString('en-GB')
}
