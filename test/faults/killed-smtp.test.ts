import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { sql } from 'kysely'
import { SMTPServer } from 'smtp-server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { useCommandLine } from '../setup/cli.ts'
import { crowd } from '../setup/delivery.ts'
import { drafted } from '../setup/drafted.ts'
import { people } from '../setup/people.ts'

/*
 * SMTP knows no repeat. What was under way when a sender dies may have arrived or not, so it stays in quarantine: better
 * that an editor asks than that a reader gets two. The witness is the server's own list.
 */
describe('a sender that is killed while it talks to a mail server', () => {
  const verdict = useCommandLine()

  it('leaves in quarantine what was under way, and the next brings everybody else one mail', async () => {
    const week = '2099-W10'
    const readers = 120
    await verdict.withDatabase(async ({ db }) => {
      await drafted(db, week)
      await people.crowd(db, readers)
    })
    const server = await startWitness()
    const env = { MAIL_TRANSPORT: 'smtp', SMTP_URL: `${server.url}?connections=3&messages=7` }

    for (const kills of [10, 35, 70]) {
      const sender = verdict.start(['send', week, '--now', '--json'], { env })
      await until(() => server.taken.length >= kills || sender.exitCode !== null)
      await kill(sender)
      await verdict.withDatabase(({ db }) =>
        sql`update batch set lease_until = now() - interval '1 second' where state = 'attempting'`.execute(
          db,
        ),
      )
    }
    const last = await verdict.run(['send', week, '--now', '--json'], { env })
    const proof = await verdict.run(['reconcile', week, '--json'])

    const inQuarantine = await verdict.withDatabase(({ db }) =>
      db.selectFrom('delivery_state').select('address').where('state', '=', 'quarantined').execute(),
    )
    const held = inQuarantine.map(({ address }) => address ?? '')
    expect(last).toMatchObject({ json: { state: 'partly sent', planned: readers } })
    expect(proof).toMatchObject({ code: 0, json: { violations: [] } })
    expect(server.taken.toSorted()).toEqual([...new Set(server.taken)].toSorted())
    expect(held.length).toBeGreaterThan(0)
    expect(held.length).toBeLessThanOrEqual(3 * 3)
    expect([...new Set([...server.taken, ...held])].toSorted()).toEqual(crowd(readers))
  })
})

/** Takes every mail, each a while after it has come: the moment in which a sender dies with its mail accepted. */
async function startWitness(): Promise<{ url: string; taken: string[] }> {
  const taken: string[] = []
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    async onData(stream, session, done) {
      const isWhole = await stream.toArray().then(
        () => true,
        () => false,
      )
      if (!isWhole) return
      taken.push(...session.envelope.rcptTo.map(({ address }) => address))
      setTimeout(done, 15)
    },
  })
  server.on('error', () => {})
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  onTestFinished(() => new Promise<void>((stopped) => server.close(() => stopped())))
  const bound = server.server.address()
  if (bound === null || typeof bound === 'string') throw new Error('The server is not on a port')
  return { url: `smtp://127.0.0.1:${bound.port}`, taken }
}

async function kill(sender: ChildProcess): Promise<void> {
  const exit = once(sender, 'exit')
  sender.kill('SIGKILL')
  if (sender.exitCode === null && sender.signalCode === null) await exit
}

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 10_000; tries += 1) {
    if (isSo()) return
    await wait(2)
  }
  throw new Error('It never came to that')
}
