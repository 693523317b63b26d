export type Level = 'pass' | 'warn' | 'block'

/** The lines of the list, in its order, each with what it is about. Ids are stable: acknowledgements and programs name them. */
export const lines = {
  week: 'Enough to say',
  size: 'Weight of the heaviest mail',
  links: 'Links',
  placeholders: 'Nothing left open',
  unsubscribe: 'The way out',
  'postal-address': 'Postal address',
  text: 'Plain text, complete',
  subject: 'Subject',
  preheader: 'Preheader',
  images: 'Images and their words',
  structure: 'Headings, language, link words',
  contrast: 'Contrast, light and dark',
  axe: 'Accessibility in a browser (axe)',
  clients: 'Mail programs',
  spam: 'Phrases that filters know',
  ratios: 'Words, links and markup',
  audience: 'Who gets it',
  sender: 'Sender, domain and keys',
  complaints: 'Complaints about the last issue',
  bounces: 'Bounces of the last issue',
} as const

export type LineId = keyof typeof lines

/** Every line's id, in the list's order. */
export const lineIds = Object.keys(lines).filter(isLine)

/** The lines whose block is a judgement: an editor may let it pass, with a reason. The others are defects of a mail. */
export const judgements: readonly LineId[] = ['week', 'audience', 'complaints', 'bounces']

/** One thing to know before an issue goes out, what it rests on, and where to mend it. A block stops the issue. */
export type Finding = {
  readonly id: LineId
  readonly level: Level
  readonly title: string
  readonly what: string
  /** Figures and names. */
  readonly evidence: readonly string[]
  /** An anchor on the page, a path at the desk, or the name of an environment variable. */
  readonly place: string
}

/** Whether a word is the id of a line. */
export function isLine(word: string): word is LineId {
  return Object.hasOwn(lines, word)
}

/** A finding of a line; its place is the content of the issue unless another is named. */
export function found(
  id: LineId,
  level: Level,
  what: string,
  { evidence = [], place = '#content' }: { evidence?: readonly string[]; place?: string } = {},
): Finding {
  return { id, level, title: lines[id], what, evidence, place }
}

/** The worse of several: where there is one, what is not well of each of its level, and the evidence of all of those. */
export function worst(findings: readonly [Finding, ...Finding[]]): Finding {
  const [first] = findings
  const level = findings.reduce<Level>((worse, one) => worseOf(worse, one.level), 'pass')
  const those = findings.filter((one) => one.level === level)
  const { place } = those[0] ?? first
  return {
    ...{ ...first, level, place },
    what: [...new Set(those.map(({ what }) => what))].join('; '),
    evidence: [...new Set(those.flatMap(({ evidence }) => evidence))],
  }
}

/** The findings in the list's order, those about the same line as one. */
export function inOrder(findings: readonly Finding[]): readonly Finding[] {
  return lineIds.flatMap((id) => {
    const [first, ...others] = findings.filter((one) => one.id === id)
    return first ? [worst([first, ...others])] : []
  })
}

function worseOf(a: Level, b: Level): Level {
  if (a === 'block' || b === 'block') return 'block'
  return a === 'warn' || b === 'warn' ? 'warn' : 'pass'
}
