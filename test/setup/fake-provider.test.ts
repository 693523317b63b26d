import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { resendTransport } from '../../src/mail/resend.ts'
import { sampleMails } from './sample-mail.ts'

it('is a witness in a process of its own, and writes before it answers', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'provider-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const log = join(folder, 'witness.ndjson')
  const url = await startProcess(
    '--log',
    log,
    '--faults',
    'accept-and-reset,rate-limit:3',
    '--refuse',
    '^reader-7@',
  )
  const resend = resendTransport({ apiKey: 're_test', baseUrl: url })

  const outcomes = [
    await resend.send(sampleMails(2), 'key-1'),
    await resend.send(sampleMails(2), 'key-2'),
    await resend.send(sampleMails(8), 'key-3'),
  ]
  const witnessed = (await readFile(log, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

  expect(outcomes.map(({ kind }) => kind)).toEqual(['unknown', 'retry', 'rejected'])
  expect(witnessed).toMatchObject([
    {
      to: 'reader-0@example.test',
      key: 'key-1',
      unsubscribe: '<https://verdicts.example.test/unsubscribe/token-of-ann>',
    },
    { to: 'reader-1@example.test', key: 'key-1', tags: { issue: '2026-W47' } },
  ])
})

async function startProcess(...options: string[]): Promise<string> {
  const script = new URL('fake-provider.ts', import.meta.url).pathname
  const provider = spawn(process.execPath, [script, ...options], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void provider.kill())
  const [line] = await once(provider.stdout, 'data')
  return String(line).trim()
}
