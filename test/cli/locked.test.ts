import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { ended, useCommandLine } from '../setup/cli.ts'
import { freePort } from '../setup/free-port.ts'

const verdict = useCommandLine({ embedded: true })

describe('a data folder that another process has open', () => {
  it('is refused at once, naming that process; once it is dead the folder is free', async () => {
    const port = String(await freePort())
    const holder = verdict.start(['web'], { env: { PORT: port } })
    await answers(`http://127.0.0.1:${port}/healthz`)

    const refused = await verdict.run(['status', '--json'])
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    const free = await verdict.run(['status', '--json'])

    const why = `in use by process ${holder.pid}. Stop that process first, or set DATABASE_URL`
    expect(refused).toMatchObject({ code: 1, json: { error: expect.stringContaining(why) } })
    expect(refused.stderr.trim().split('\n')).toHaveLength(1)
    expect(free).toMatchObject({ code: 0, json: { issues: [] } })
  })

  it('is refused to one of two that begin together, and never to both for long', async () => {
    const runs = await Promise.all([1, 2, 3].map(() => ended(verdict.start(['status', '--json']))))

    for (const { code, stderr, json } of runs) {
      if (code === 0) expect(json).toMatchObject({ issues: [] })
      else expect(stderr).toMatch(/is in use by process \w+\./)
    }
    expect(await verdict.run(['status', '--json'])).toMatchObject({ code: 0 })
  })
})

async function answers(url: string): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.ok) return
    await new Promise((again) => setTimeout(again, 50))
  }
  throw new Error(`${url} does not answer`)
}
