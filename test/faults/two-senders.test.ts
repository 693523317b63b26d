import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ended, useCommandLine } from '../setup/cli.ts'
import { crowd } from '../setup/delivery.ts'
import { drafted } from '../setup/drafted.ts'
import { people } from '../setup/people.ts'

const verdict = useCommandLine()
const week = '2099-W10'

describe('two processes that send one issue at once', () => {
  it('bring each of 450 readers one mail between them, as the provider saw it', async () => {
    const provider = await providerWithWitness()
    await verdict.withDatabase(async ({ db }) => {
      await drafted(db, week)
      await people.crowd(db, 450)
    })
    const env = { MAIL_TRANSPORT: 'resend', RESEND_API_KEY: 're_test', RESEND_BASE_URL: provider.url }

    const senders = [1, 2].map(() => verdict.start(['send', week, '--now', '--json'], { env }))
    const runs = await Promise.all(senders.map((sender) => ended(sender)))
    const proof = await verdict.run(['reconcile', week, '--json'])

    const witnessed = await provider.witnessed()
    expect(witnessed.map(({ to }) => to).toSorted()).toEqual(crowd(450))
    expect(new Set(witnessed.map(({ key }) => key)).size).toBe(5)
    expect(runs.map(({ code }) => code)).toEqual([0, 0])
    expect(runs.map(({ json }) => json)).toMatchObject([
      { state: 'sent', planned: 450, accepted: 450 },
      { state: 'sent', planned: 450, accepted: 450 },
    ])
    expect(proof).toMatchObject({ code: 0, json: { violations: [] } })
  })
})

/** A provider in a process of its own, with a file that it writes into before it answers. */
async function providerWithWitness() {
  const log = join(verdict.folder, 'witness.ndjson')
  const script = new URL('../setup/fake-provider.ts', import.meta.url).pathname
  const provider = spawn(process.execPath, [script, '--log', log, '--latency', '300'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void provider.kill())
  const [line] = await once(provider.stdout, 'data')
  return {
    url: String(line).trim(),
    async witnessed(): Promise<{ to: string; key: string }[]> {
      const lines = (await readFile(log, 'utf8')).trim().split('\n')
      return lines.map((text) => JSON.parse(text))
    },
  }
}
