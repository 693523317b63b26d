import { setTimeout as wait } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { type FakeProvider, startFakeProvider } from './fake-provider.ts'
import { openControl } from './provider/control.ts'
import { randomFaults } from './provider/fault.ts'
import { limitRate } from './provider/limits.ts'

const ann = {
  from: 'verdicts@example.com',
  to: 'ann@example.test',
  subject: 'Week 47',
  html: '<p>',
  text: 'x',
}
const bob = { ...ann, to: 'bob@example.test' }

it('answers a known key as it did at first, for 24 hours of its own clock', async () => {
  const provider = await started({})

  const first = await post(provider, 'k', [ann])
  provider.carryOut({ advance: 'PT23H59M' })
  const known = await post(provider, 'k', [ann])
  provider.carryOut({ advance: 'PT2M' })
  const forgotten = await post(provider, 'k', [ann])

  expect(known).toEqual(first)
  expect(forgotten).toMatchObject({ status: 200 })
  expect(forgotten).not.toEqual(first)
  expect(provider.accepted).toHaveLength(2)
})

it.each([
  [{ bindsFailed: false }, 200],
  [{ bindsFailed: true }, 409],
])('where %j, other bytes after a failed request are answered with %i', async (rules, status) => {
  const provider = await started({ ...rules, faults: [{ kind: '500-before' }] })

  const failed = await post(provider, 'k', [ann])
  const other = await post(provider, 'k', [bob])

  expect([failed.status, other.status]).toEqual([500, status])
  expect(provider.carryOut({}).otherBytes).toBe(1)
})

it('lets the same bytes through after a failed request, bound or not', async () => {
  const provider = await started({ bindsFailed: true, faults: [{ kind: '500-before' }] })

  await post(provider, 'k', [ann])

  expect(await post(provider, 'k', [ann])).toMatchObject({ status: 200 })
})

it.each([
  ['bytes', 409],
  ['json', 200],
] as const)(
  'compares payloads by their %s: the same mail in another order of fields is a %i',
  async (compares, status) => {
    const provider = await started({ compares })
    const { to, ...rest } = ann

    await post(provider, 'k', [ann])

    expect(await post(provider, 'k', [{ ...rest, to }])).toMatchObject({ status })
    expect(provider.accepted).toHaveLength(1)
  },
)

it('takes as many mails a day as its quota says, and as many again the next day', async () => {
  const provider = await started({ dailyQuota: 2 })

  const day = [await post(provider, 'a', [ann, bob]), await post(provider, 'b', [ann])]
  provider.carryOut({ advance: 'PT24H' })
  const nextDay = await post(provider, 'b', [ann])

  expect(day).toMatchObject([{ status: 200 }, { status: 429, body: { name: 'daily_quota_exceeded' } }])
  expect(nextDay).toMatchObject({ status: 200 })
})

it.each(['fixed', 'sliding'] as const)(
  'admits so many requests a second and no more, counted by a %s window',
  async (window) => {
    const limit = limitRate({ perSecond: 3, window })

    // A fixed window may end in between: eight in a row have at least two refused in any case.
    const answers = Array.from({ length: 8 }, () => limit.admit())

    const refused = answers.filter((one) => one.refused)
    expect(refused.length).toBeGreaterThanOrEqual(2)
    expect(refused[0]?.refused).toMatchObject({ status: 429, body: { name: 'rate_limit_exceeded' } })
    expect(answers[0]?.headers).toMatchObject({ 'ratelimit-limit': '3', 'ratelimit-policy': '3;w=1' })
    await wait(1_050)
    expect(limit.admit().refused).toBeUndefined()
  },
)

it('draws the same faults for the same seed, for about the share that was asked for', () => {
  const drawn = (seed: number) => Array.from({ length: 2_000 }, (_, n) => randomFaults(seed, 0.2)(n)?.kind)

  expect(drawn(7)).toEqual(drawn(7))
  expect(drawn(7)).not.toEqual(drawn(8))
  const share = drawn(7).filter(Boolean).length / 2_000
  expect(share).toBeGreaterThan(0.15)
  expect(share).toBeLessThan(0.25)
  expect(new Set(drawn(7)).size).toBe(14)
})

it('takes orders on a port of its own, and none on the port for mail', async () => {
  const provider = await started({})
  const control = await openControl(provider.carryOut)
  onTestFinished(() => void control.close())
  await post(provider, 'k', [ann])

  const order = { method: 'POST', body: '{"advance":"PT25H"}' }
  const wrongPort = await fetch(`${provider.url}/__control`, order)
  const stillKnown = await post(provider, 'k', [ann])
  const stats = await fetch(`${control.url}/__control`, order)

  expect(wrongPort.status).toBe(404)
  expect(stillKnown).toMatchObject({ status: 200 })
  expect(await stats.json()).toEqual({ accepted: 1, requests: 3, otherBytes: 0 })
  await post(provider, 'k', [ann])
  expect(provider.accepted).toHaveLength(2)
})

async function started(options: Parameters<typeof startFakeProvider>[0]): Promise<FakeProvider> {
  const provider = await startFakeProvider(options)
  onTestFinished(() => provider.close())
  return provider
}

async function post(provider: FakeProvider, key: string, mails: readonly object[]) {
  const answer = await fetch(`${provider.url}/emails/batch`, {
    method: 'POST',
    headers: { authorization: 'Bearer re_test', 'user-agent': 'test', 'idempotency-key': key },
    body: JSON.stringify(mails),
  })
  return { status: answer.status, body: (await answer.json()) as unknown }
}
