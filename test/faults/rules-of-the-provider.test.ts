import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { sql } from 'kysely'
import { describe, expect, it, onTestFinished } from 'vitest'
import { useCommandLine } from '../setup/cli.ts'
import { crowd } from '../setup/delivery.ts'
import { drafted } from '../setup/drafted.ts'
import { type FakeProvider, startFakeProvider } from '../setup/fake-provider.ts'
import { people } from '../setup/people.ts'

type Rules = NonNullable<Parameters<typeof startFakeProvider>[0]>
const week = '2099-W10'

describe('a batch whose answer was lost', () => {
  const verdict = useCommandLine()

  it('is never sent again once the provider may have forgotten its key: a person decides', async () => {
    const { provider, env } = await issueTo(verdict, 3, { faults: [{ kind: 'accept-and-hang' }] })
    await killedInTheCall(verdict, provider, env)

    provider.carryOut({ advance: 'PT25H' })
    await verdict.withDatabase(({ db }) =>
      sql`update batch set lease_until = now() - interval '1 s', first_used_at = now() - interval '23 h'`.execute(
        db,
      ),
    )
    const next = await verdict.run(['send', week, '--now', '--json'], { env })
    const again = await verdict.run(['send', week, '--now', '--json'], { env })

    for (const run of [next, again])
      expect(run).toMatchObject({ code: 1, json: { state: 'partly sent', accepted: 0, quarantined: 3 } })
    expect(provider.received).toHaveLength(1)
    expect(provider.accepted.map(({ to }) => to).toSorted()).toEqual(crowd(3))
  })
})

describe('a batch whose answer was lost a little less than 23 hours ago', () => {
  const verdict = useCommandLine()

  it('is asked for again under its key, and nobody has a second mail', async () => {
    const { provider, env } = await issueTo(verdict, 3, { faults: [{ kind: 'accept-and-hang' }] })
    await killedInTheCall(verdict, provider, env)

    provider.carryOut({ advance: 'PT22H55M' })
    await verdict.withDatabase(({ db }) =>
      sql`update batch set lease_until = now() - interval '1 s',
                           first_used_at = now() - interval '22 h 55 min'`.execute(db),
    )
    const next = await verdict.run(['send', week, '--now', '--json'], { env })

    expect(next).toMatchObject({ code: 0, json: { state: 'sent', accepted: 3 } })
    expect(provider.received).toHaveLength(2)
    expect(provider.accepted.map(({ to }) => to).toSorted()).toEqual(crowd(3))
  })
})

describe('three addresses of five hundred that the provider refuses', () => {
  const verdict = useCommandLine()
  const refused = [13, 14, 333].map((n) => crowd(500)[n - 1] ?? '')

  it('are refused by themselves; everybody else gets one mail', async () => {
    const { provider, env } = await issueTo(verdict, 500, { refuses: (to) => refused.includes(to) })

    const sent = await verdict.run(['send', week, '--now', '--json'], { env })
    const names = await verdict.withDatabase(({ db }) =>
      db.selectFrom('delivery_state').select('address').where('state', '=', 'rejected').execute(),
    )

    expect(sent).toMatchObject({ json: { state: 'partly sent', accepted: 497, rejected: 3, quarantined: 0 } })
    expect(names.map(({ address }) => address).toSorted()).toEqual(refused)
    expect(provider.accepted.map(({ to }) => to).toSorted()).toEqual(
      crowd(500).filter((to) => !refused.includes(to)),
    )
  })
})

describe('a daily quota that is used up in the middle', () => {
  const verdict = useCommandLine()

  it('pauses the issue and says what to do; the next day it goes on from there', async () => {
    const { provider, env } = await issueTo(verdict, 500, { dailyQuota: 250 })

    const stopped = await verdict.run(['send', week, '--now', '--json'], { env })
    const refused = await verdict.run(['send', week, '--now'], { env })
    const takenByThen = provider.accepted.length
    provider.carryOut({ advance: 'PT24H', dailyQuota: 1_000 })
    const released = await verdict.run(['release', week, '--json'], { env })
    const sent = await verdict.run(['send', week, '--now', '--json'], { env })

    expect(takenByThen).toBeGreaterThan(0)
    expect(takenByThen).toBeLessThanOrEqual(250)
    expect(stopped).toMatchObject({
      code: 1,
      json: { state: 'paused', accepted: takenByThen, notYetSent: 500 - takenByThen },
    })
    expect(JSON.stringify(stopped.json)).toMatch(/quota/)
    expect(`${refused.stdout}${refused.stderr}`).toMatch(/quota.*verdict release/s)
    expect(released).toMatchObject({ code: 0 })
    expect(sent).toMatchObject({ code: 0, json: { state: 'sent', accepted: 500 } })
    expect(provider.accepted.map(({ to }) => to).toSorted()).toEqual(crowd(500))
  })
})

type Verdict = ReturnType<typeof useCommandLine>

async function issueTo(verdict: Verdict, readers: number, rules: Rules) {
  await verdict.withDatabase(async ({ db }) => {
    await drafted(db, week)
    await people.crowd(db, readers)
  })
  const provider = await startFakeProvider(rules)
  onTestFinished(() => provider.close())
  const env = { MAIL_TRANSPORT: 'resend', RESEND_API_KEY: 're_test', RESEND_BASE_URL: provider.url }
  return { provider, env }
}

/** Starts a sender and kills it as soon as the provider has its first call. */
async function killedInTheCall(
  verdict: Verdict,
  provider: FakeProvider,
  env: Record<string, string>,
): Promise<void> {
  const sender = verdict.start(['send', week, '--now'], { env })
  const exit = once(sender, 'exit')
  while (provider.accepted.length === 0 && sender.exitCode === null) await wait(5)
  sender.kill('SIGKILL')
  await exit
}
