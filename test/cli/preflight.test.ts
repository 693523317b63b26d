import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { migrate } from '../../db/migrate.ts'
import { type LineId, lineIds } from '../../src/issue/preflight/finding.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { breakEdition, draftedWeek, faultyEditions, lastWeekCameBack } from '../setup/broken.ts'
import { useCommandLine } from '../setup/cli.ts'
import { clockAt } from '../setup/clock.ts'
import { thursday } from '../setup/delivery.ts'
import { newsletterWith } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { openPostOffice } from '../setup/post-office.ts'

const verdict = useCommandLine()
const env = {
  ...{ PUBLIC_URL: 'https://news.example.com', POSTAL_ADDRESS: '1 Example Street, Example Town' },
  ...{ NODE_ENV: 'production', MIN_COMPARISONS: '2' },
}
const warned: readonly LineId[] = [
  ...(['subject', 'preheader', 'images', 'structure', 'contrast', 'clients', 'spam', 'ratios'] as const),
  ...(existsSync('/usr/bin/chromium') ? (['axe'] as const) : []),
]
const answer = z.object({
  preflight: z.array(
    z.strictObject({
      ...{ id: z.string(), level: z.string(), title: z.string(), what: z.string() },
      ...{ evidence: z.array(z.string()), place: z.string() },
    }),
  ),
})

it('preview --json has every line of a broken issue, with its level, and exits 1', {
  timeout: 240_000,
}, async () => {
  const { size, ...light } = faultyEditions
  await verdict.withDatabase(async ({ db }) => {
    await migrate(db)
    const clock = clockAt(thursday)
    const deps = newsletterWith({ db }, { clock, transport: openPostOffice() })
    const ann = await people.ann(db)
    await lastWeekCameBack(deps, clock, { delivered: 80, complained: 1, bounced_hard: 19 })
    await draftedWeek(deps, clock)
    await unsubscribe(deps, ann.publicId, 'page')
    for (const fault of Object.values(light)) await breakEdition(db, fault)
  })

  const broken = await levels()
  await verdict.withDatabase(({ db }) => breakEdition(db, size))
  const heavy = await levels()

  const expected: Record<string, string> = Object.fromEntries(lineIds.map((id) => [id, 'block']))
  for (const id of warned) expected[id] = 'warn'
  if (!warned.includes('axe')) expected.axe = 'pass'
  expect(broken).toEqual({ ...expected, size: 'pass' })
  expect(heavy.size).toBe('block')
})

async function levels(): Promise<Record<string, string>> {
  const { code, json } = await verdict.run(
    ['preview', '2026-W47', '--out', join(verdict.folder, 'out'), '--json'],
    { env },
  )
  expect(code).toBe(1)
  return Object.fromEntries(answer.parse(json).preflight.map(({ id, level }) => [id, level]))
}
