import { readFileSync } from 'node:fs'
import type { caniemail } from 'caniemail'
import { z } from 'zod'
import { type Finding, found } from './finding.ts'

type Client = Parameters<typeof caniemail>[0]['clients'][number]

/** The mail programs that the readers of a newsletter mostly have, as caniemail.com names them. */
export const clients: readonly Client[] = [
  ...(['gmail.android', 'gmail.desktop-webmail', 'gmail.ios', 'gmail.mobile-webmail'] as const),
  ...(['apple-mail.ios', 'apple-mail.macos'] as const),
  ...(['outlook.android', 'outlook.ios', 'outlook.macos', 'outlook.outlook-com', 'outlook.windows'] as const),
  ...(['yahoo.android', 'yahoo.desktop-webmail', 'yahoo.ios', 'aol.desktop-webmail'] as const),
  ...([
    'samsung-email.android',
    'protonmail.android',
    'protonmail.desktop-webmail',
    'protonmail.ios',
  ] as const),
  ...(['fastmail.desktop-webmail', 'hey.desktop-webmail'] as const),
]

const baselineFile = new URL('caniemail-baseline.json', import.meta.url)
const baseline = z.object({
  /** When the data that it was made with were last changed. */
  data: z.string(),
  /** What somebody looked at and found to be harmless: a feature, and the programs that lack it or have half of it. */
  known: z.record(z.string(), z.array(z.string())),
})

export type Baseline = z.infer<typeof baseline>

/** What was reviewed; it is made anew with `npm run mail:baseline`. */
export function readBaseline(): Baseline {
  return baseline.parse(JSON.parse(readFileSync(baselineFile, 'utf8')))
}

/** What mail programs do not do of what the mail asks for, beyond what somebody has looked at before. */
export async function clientsFinding(
  html: string,
  known: Baseline['known'] = readBaseline().known,
): Promise<Finding> {
  const lacking = await lackingFeatures(html)
  const news = Object.entries(lacking).flatMap(([feature, programs]) => {
    const fresh = programs.filter((program) => !known[feature]?.includes(program))
    return fresh.length > 0 ? [`${feature}: ${fresh.join(', ')}`] : []
  })
  const old = Object.keys(lacking).length
  if (news.length === 0)
    return found(
      'clients',
      'pass',
      `nothing new for ${clients.length} mail programs; ${old} known limits, reviewed`,
      {
        evidence: [`${clients.length} mail programs, data of caniemail.com`],
        place: '#edition',
      },
    )
  const what = `${news.length === 1 ? 'something' : `${news.length} things`} that not every mail program does: ${news[0]}`
  return found('clients', 'warn', what, { evidence: news, place: '#edition' })
}

/** Features by the programs that lack them or have them in part, both in order. A program without data is left out for that mail. */
export async function lackingFeatures(html: string): Promise<Baseline['known']> {
  const { caniemail } = await import('caniemail')
  const check = (some: readonly Client[]) => {
    const { errors, warnings } = caniemail({ clients: [...some], html }).issues
    return [...errors, ...warnings]
  }
  const met = withoutUnknown(check)
  const features = new Map<string, Set<string>>()
  for (const [program, issues] of met)
    for (const { title } of issues) features.set(title, (features.get(title) ?? new Set()).add(program))
  return Object.fromEntries(
    [...features]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([title, programs]) => [title, [...programs].sort()]),
  )
}

/** caniemail throws where its data say nothing of one feature in one program; then each program is asked alone. */
function withoutUnknown<Met>(check: (some: readonly Client[]) => readonly Met[]): readonly Met[] {
  try {
    return check(clients)
  } catch {
    return clients.flatMap((client) => {
      try {
        return check([client])
      } catch {
        return []
      }
    })
  }
}
