import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { beforeAll, describe, expect, it } from 'vitest'
import { readOutboxMail } from '../../src/mail/read-outbox.ts'
import { useCommandLine } from '../setup/cli.ts'
import { documentFor } from '../setup/comparisons.ts'

// Week 10 of 2099 is never due yet and that of 2020 long gone, whenever these tests run.
const early = '2099-W10'
const late = '2020-W10'
const verdict = useCommandLine()

beforeAll(async () => {
  const documents = [
    documentFor('early-vs-bird', { publishedAt: '2099-03-04T12:00:00Z' }),
    documentFor('late-vs-riser', { publishedAt: '2020-03-04T12:00:00Z' }),
  ]
  const input = documents.map((document) => JSON.stringify(document)).join('\n')
  await verdict.run(['import', '-'], { input })
  await verdict.run(['subscribers', 'import', '-'], {
    input: 'address,consent\nann@example.test,yes\nbob@example.test,yes\ncleo@example.test,yes\n',
  })
})

describe('an issue on the command line, from nothing to sent,', () => {
  it('is refused by everything before it is drafted, with the way on', async () => {
    for (const command of ['preview', 'send']) {
      const { code, stdout, stderr } = await verdict.run([command, early])
      expect({ command, code }).toEqual({ command, code: 1 })
      expect(stdout + stderr).toContain(`verdict draft --week ${early}`)
    }
  })

  it('is drafted: what is in it, and why the others are not', async () => {
    const drafted = await verdict.run([
      ...['draft', '--week', early, '--as-of', '2099-03-05T15:00:00Z', '--json'],
    ])

    expect(drafted).toMatchObject({
      code: 0,
      json: {
        week: early,
        outcome: 'drafted',
        dueAt: '2099-03-06T14:00:00Z',
        timezone: 'America/New_York',
        comparisons: [{ slug: 'early-vs-bird', revision: 1 }],
        leftOut: [{ slug: 'late-vs-riser', reason: expect.stringContaining('archive') }],
      },
    })
  })

  it('is previewed as three files, and in a few facts', async () => {
    const out = join(verdict.folder, 'preview')

    const previewed = await verdict.run([
      ...['preview', early, '--as', 'bob@example.test', '--out', out, '--json'],
    ])

    const html = readFileSync(join(out, 'issue.html'), 'utf8')
    const text = readFileSync(join(out, 'issue.txt'), 'utf8')
    const facts = JSON.parse(readFileSync(join(out, 'issue.json'), 'utf8'))
    expect(previewed.code).toBe(0)
    expect(previewed.json).toMatchObject({ week: early, state: 'draft', out, hash: facts.hash })
    expect(facts).toMatchObject({
      week: early,
      subject: expect.stringContaining('early-vs-bird'),
      preheader: expect.any(String),
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      sizes: { html: Buffer.byteLength(html), text: Buffer.byteLength(text) },
      preflight: expect.arrayContaining([expect.objectContaining({ level: 'pass' })]),
    })
    expect(html).toContain('/unsubscribe/')
    expect(text).toContain('/unsubscribe/')
  })

  it('is not sent before its time, and says how it could be', async () => {
    const said = await verdict.run(['send', early])
    const json = await verdict.run(['send', early, '--json'])

    expect(said).toMatchObject({ code: 1, stdout: expect.stringMatching(/is due .* with --now\.\n$/) })
    expect(json).toMatchObject({ code: 1, json: { week: early, error: expect.stringContaining('--now') } })
    expect(outbox()).toEqual([])
  })

  it('is held, released, approved, and approved again without harm', async () => {
    const steps = []
    for (const step of ['hold', 'release', 'approve', 'approve']) {
      const { code, stdout } = await verdict.run([step, early])
      steps.push([step, code, stdout.trim()])
    }

    expect(steps).toEqual([
      ['hold', 0, `${early} is held.`],
      ['release', 0, `${early} is draft.`],
      ['approve', 0, `${early} is approved.`],
      ['approve', 0, `${early} is approved.`],
    ])
  })

  it('refuses a decision that makes no sense, and changes nothing', async () => {
    const released = await verdict.run(['release', early, '--json'])
    const unknown = await verdict.run(['approve', '2099-W11'])

    expect(released).toMatchObject({
      code: 1,
      json: { ok: false, state: 'approved', problem: expect.stringContaining('it is not held') },
    })
    expect(unknown).toMatchObject({
      code: 1,
      stdout: 'there is no issue for 2099-W11 yet. Nothing was changed.\n',
    })
  })

  it('goes to one address as a test, which is nobody’s delivery', async () => {
    const tested = await verdict.run(['send', early, '--test', 'eve@example.test', '--json'])
    const mistyped = await verdict.run(['send', early, '--test', 'eve'])

    expect(tested).toMatchObject({ code: 0, json: { test: 'accepted' } })
    expect(mistyped).toMatchObject({ code: 2, stderr: expect.stringContaining('"eve" is no address') })
    expect(outbox()).toHaveLength(1)
    const mail = await readOutboxMail(join(verdict.dataDir, 'outbox'), outbox()[0]?.replace('.eml', '') ?? '')
    expect(mail).toMatchObject({
      to: 'eve@example.test',
      subject: expect.stringMatching(/^\[Test\] Ship/),
    })
  })

  it('is sent ahead of its time where an editor says so, and only once', async () => {
    const first = await verdict.run(['send', early, '--now', '--json'])
    const second = await verdict.run(['send', early, '--now', '--json'])

    const account = { planned: 3, accepted: 3, excluded: 0, rejected: 0, quarantined: 0, notYetSent: 0 }
    expect(first).toMatchObject({ code: 0, json: { week: early, state: 'sent', ...account } })
    expect(second).toMatchObject({ code: 0, json: { state: 'sent', ...account } })
    expect(
      first.stderr
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([{ progress: early, done: 3, total: 3, outcome: 'accepted' }])
    expect(await readersWithAMail(early)).toEqual(['ann', 'bob', 'cleo'])
  })

  it('can then be neither held nor cancelled, and drafting it again changes nothing', async () => {
    const [held, cancelled] = [await verdict.run(['hold', early]), await verdict.run(['cancel', early])]
    const drafted = await verdict.run(['draft', '--week', early, '--json'])

    expect([held.code, cancelled.code]).toEqual([1, 1])
    expect(drafted).toMatchObject({ code: 0, json: { outcome: 'unchanged', state: 'sent' } })
  })

  it('is proved by the ledger', async () => {
    const sound = await verdict.run(['reconcile', early, '--json'])

    expect(sound).toMatchObject({
      code: 0,
      json: { ok: true, week: early, violations: [], account: { accepted: 3 } },
    })
  })

  it('is not proved once a row of the ledger is broken, and the row is named', async () => {
    await verdict.withDatabase(({ db }) => sql`update issue set planned = planned + 1`.execute(db))

    const said = await verdict.run(['reconcile', early])
    const json = await verdict.run(['reconcile', early, '--json'])

    expect(said).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('broken (invariant 1): planned 4 deliveries, but 3 are there'),
    })
    expect(json).toMatchObject({ code: 1, json: { ok: false, violations: [{ invariant: 1 }] } })
    await verdict.withDatabase(({ db }) => sql`update issue set planned = planned - 1`.execute(db))
  })
})

describe('an issue whose time is long past', () => {
  it('waits for somebody who says that it shall go all the same', async () => {
    await verdict.run(['draft', '--week', late, '--as-of', '2020-03-05T15:00:00Z'])

    const refused = await verdict.run(['send', late])
    const cancelled = await verdict.run(['cancel', late])
    const after = await verdict.run(['send', late, '--now'])

    expect(refused).toMatchObject({ code: 1, stdout: expect.stringMatching(/SEND_GRACE.*--now/) })
    expect(cancelled).toMatchObject({ code: 0, stdout: `${late} is cancelled.\n` })
    expect(after).toMatchObject({ code: 1, stdout: expect.stringContaining('was cancelled') })
    expect(await readersWithAMail(late)).toEqual([])
  })
})

describe('verdict status', () => {
  it('tells where every issue stands and what comes next', async () => {
    const { code, json } = await verdict.run(['status', '--json'])
    const one = await verdict.run(['status', early])

    expect({ code, json }).toMatchObject({
      code: 0,
      json: {
        issues: [
          { week: early, state: 'sent', deliveries: { planned: 3, accepted: 3 } },
          { week: late, state: 'cancelled', reason: 'cancelled by operator' },
        ],
        next: {
          week: expect.stringMatching(/^\d{4}-W\d\d$/),
          dueAt: expect.any(String),
          timezone: 'America/New_York',
        },
      },
    })
    expect(one.stdout).toContain('3 planned = 3 accepted')
  })
})

function outbox(): readonly string[] {
  try {
    return readdirSync(join(verdict.dataDir, 'outbox')).filter((file) => file.endsWith('.eml'))
  } catch {
    return []
  }
}

/** Who has a mail of that week in the outbox, by the To: of each file. */
async function readersWithAMail(week: string): Promise<readonly string[]> {
  return outbox()
    .filter((file) => file.startsWith(`${week}.`))
    .map((file) => readFileSync(join(verdict.dataDir, 'outbox', file), 'utf8'))
    .map((mail) => /^To: <?([^@\s<]+)@example\.test/m.exec(mail)?.[1] ?? 'nobody')
    .toSorted()
}
