import type { ChildProcess } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ended, useCommandLine } from '../setup/cli.ts'
import { freePort } from '../setup/free-port.ts'

const verdict = useCommandLine({ embedded: true, isNew: true })

describe('verdict start, without any configuration,', () => {
  it('shows the product at work: samples, readers, an issue in the outbox, and links that lead there', async () => {
    const { process, screen } = await started()

    const links = [...screen.matchAll(/http:\/\/localhost:\d+\S*/g)].map(([link]) => link)
    const answers = await Promise.all(links.map((link) => fetch(link).then(({ status }) => status)))
    const mails = outbox()
    const stopped = await interrupted(process)

    expect(screen).toContain('First start: 16 sample comparisons and 3 example readers are in.')
    expect(screen).toMatch(/\d{4}-W\d\d was drafted and delivered to the outbox: 3 planned = 3 accepted\./)
    expect(screen).toMatch(/Next: \d{4}-W\d\d, due \w+ \d+ \w+ \d{4}, 09:00 America\/New_York/)
    expect(screen).toContain('nothing leaves this machine')
    expect(screen).toMatch(
      /The desk +http:\/\/localhost:\d+\/desk\n +sign in as editor@example.com; the code is in the outbox/,
    )
    expect(screen).toContain('npx verdict doctor')
    expect(screen).toContain('Ctrl-C stops.')
    expect(links.map((link) => new URL(link).pathname)).toEqual(
      expect.arrayContaining(['/', expect.stringMatching(/^\/issues\/\d{4}-W\d\d$/), '/outbox']),
    )
    expect(answers).toEqual(links.map(() => 200))
    expect(mails).toHaveLength(3)
    expect(stopped).toMatchObject({ code: 0, stderr: '' })
  })

  it('repeats nothing when it is started again, and refuses a second process beside it', async () => {
    const before = outbox()
    const { process, screen } = await started()

    const second = await verdict.run(['status'])
    const stopped = await interrupted(process)

    expect(screen).toContain('Started again: nothing is repeated, nothing is lost.')
    expect(second).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`in use by process ${process.pid}. Stop that process first`),
    })
    expect(stopped.code).toBe(0)
    expect(outbox()).toEqual(before)
  })

  it('takes a one-click of 100 kB over a real connection, and the reader is out', async () => {
    const { process, site } = await started()
    const [file = ''] = outbox()
    const source = await (await fetch(`${site}/outbox/${file.replace('.eml', '')}/source`)).text()
    const [, path = ''] = /^List-Unsubscribe: <https?:\/\/[^/]+(\/unsubscribe\/[\w.-]+)>/m.exec(source) ?? []

    const answer = await fetch(`${site}${path}`, {
      method: 'POST',
      body: 'x'.repeat(100_000),
      redirect: 'manual',
    })
    const page = await (await fetch(`${site}${path}`)).text()
    await interrupted(process)

    expect(answer.status).toBe(200)
    expect(answer.headers.get('Set-Cookie')).toBeNull()
    expect(page).toContain('You are out')
  })
})

/** Waits for the whole screen, and for the pages to answer. */
async function started(): Promise<{ process: ChildProcess; screen: string; site: string }> {
  const port = await freePort()
  const process = verdict.start(['start'], { env: { PORT: String(port) } })
  let screen = ''
  for await (const chunk of process.stdout?.iterator({ destroyOnReturn: false }) ?? []) {
    screen += chunk
    if (screen.includes('Ctrl-C stops.')) break
  }
  return { process, screen, site: `http://localhost:${port}` }
}

/** Ctrl-C. It is to end by itself well within the 35 seconds that calls in flight may take. */
async function interrupted(process: ChildProcess) {
  const patience = setTimeout(() => process.kill('SIGKILL'), 20_000)
  process.kill('SIGINT')
  const run = await ended(process)
  clearTimeout(patience)
  return run
}

function outbox(): readonly string[] {
  return readdirSync(join(verdict.dataDir, 'outbox')).toSorted()
}
