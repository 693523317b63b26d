import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ended, type Run, useCommandLine } from '../setup/cli.ts'

const verdict = useCommandLine()
const production = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://verdicts.example.com',
  MAIL_TRANSPORT: 'resend',
  RESEND_API_KEY: 're_test',
  MAIL_FROM: 'Verdicts <verdicts@example.com>',
  POSTAL_ADDRESS: '12 Example Street, Brooklyn, NY 11201, USA',
  SIGNING_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
}

describe('bad usage', () => {
  it.each([
    ['no such command', ['sned'], /unknown command 'sned'/],
    ['no such option', ['status', '--jsno'], /unknown option '--jsno'/],
    ['a missing week', ['send'], /missing required argument 'week'/],
    ['a week too many', ['approve', '2026-W47', '2026-W48'], /too many arguments/],
    ['an option without its value', ['draft', '--week'], /argument missing/],
    ['a week that its year has not', ['status', '2026-W60'], /"2026-W60" is no ISO week/],
    ['an instant that is none', ['draft', '--as-of', 'yesterday'], /--as-of: "yesterday" is no instant/],
  ])('is told in a line, and exits 2: %s', async (_, args, why) => {
    const run = await verdict.run(args)

    expect(run.code).toBe(2)
    expect(run.stdout).toBe('')
    expect(run.stderr).toMatch(why)
    expect(withoutHint(run)).toHaveLength(1)
    expect(run.stderr).not.toMatch(stack)
  })

  it.each([[['send', '--json']], [['status', '2026-W60', '--json']]])(
    'is one JSON document for programs: %s',
    async (args) => {
      const run = await verdict.run(args)

      expect(run).toMatchObject({ code: 2, json: { error: expect.any(String) } })
    },
  )

  it.each([[['--help']], [['subscribers', 'import', '--help']]])(
    'is not to ask for help: %s',
    async (args) => {
      const run = await verdict.run(args)

      expect(run).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^Usage: verdict/) })
    },
  )
})

describe('a bad environment', () => {
  it.each([
    ['DATABASE_URL', 'mysql://root:hunter2@localhost/x', /DATABASE_URL: expected postgres:/],
    ['SIGNING_KEYS', 'k1:hunter2', /SIGNING_KEYS: expected id:base64/],
  ])('is told in a line, and exits 1: %s=%s', async (name, value, why) => {
    const run = await verdict.run(['status'], { env: { [name]: value } })

    expect(run).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(why) })
    expect(run.stderr.trim().split('\n')).toHaveLength(2)
    expect(run.stderr).not.toMatch(stack)
    expect(run.stderr).not.toContain('hunter2')
  })

  it('is told whole: every fault at once', async () => {
    const env = { TIMEZONE: 'Mars', PORT: 'x', SEND_AT: 'never', MAIL_TRANSPORT: 'smtp' }

    const said = await verdict.run(['status'], { env })
    const json = await verdict.run(['status', '--json'], { env })

    for (const name of ['TIMEZONE', 'PORT', 'SEND_AT', 'SMTP_URL'])
      expect(said.stderr).toMatch(new RegExp(`^  ${name}: `, 'm'))
    expect(json).toMatchObject({ code: 1, json: { error: expect.stringMatching(/TIMEZONE.*SMTP_URL/s) } })
  })

  it('is refused by live sending without an editor, where one has to approve', async () => {
    const env = { ...production, DATABASE_URL: 'postgres://127.0.0.1:9/x', SEND_POLICY: 'approve' }

    const run = await verdict.run(['start'], { env })

    expect(run).toMatchObject({ code: 1, stderr: expect.stringContaining('EDITORS: is empty') })
  })
})

describe('verdict doctor', () => {
  it('names everything that live sending still needs, editors among it, and exits 1', async () => {
    const said = await verdict.run(['doctor'])
    const json = await verdict.run(['doctor', '--json'])

    expect(said.code).toBe(1)
    expect(said.stdout).toMatch(/^fail {2}EDITORS: no editors\n {6}Set the addresses/m)
    expect(json).toMatchObject({ code: 1, json: { ok: false } })
    expect(json.json).toMatchObject({
      checks: expect.arrayContaining([
        expect.objectContaining({ name: 'EDITORS', level: 'fail', mend: expect.any(String) }),
        expect.objectContaining({ name: 'NODE_ENV', level: 'fail' }),
        expect.objectContaining({ name: 'MAIL_TRANSPORT', level: 'fail' }),
      ]),
    })
  })

  it.runIf(process.env.TEST_DATABASE_URL)('is content with everything set', async () => {
    const env = { ...production, EDITORS: 'eve@example.com', RESEND_WEBHOOK_SECRET: 'whsec_1234' }

    const run = await verdict.run(['doctor'], { env })

    expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining('Ready for live sending.') })
  })
})

describe('a PostgreSQL that is not there', () => {
  it.each([
    ['nobody listens', 'postgres://root:hunter2@127.0.0.1:9/verdict'],
    ['no such host', 'postgres://root:hunter2@no-such-host.invalid/verdict'],
  ])('is told in a line, and exits 1: %s', async (_, url) => {
    const run = await verdict.run(['status', '--json'], { env: { DATABASE_URL: url } })

    expect(run).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^DATABASE_URL: the database cannot be reached .*\n$/),
      json: { error: expect.stringContaining('DATABASE_URL') },
    })
    expect(run.stderr).not.toContain('hunter2')
  })

  it.runIf(process.env.TEST_DATABASE_URL)('is told apart from a database that is not there', async () => {
    const url = new URL(process.env.TEST_DATABASE_URL ?? '')
    url.pathname = '/no_database_of_that_name'

    const run = await verdict.run(['status'], { env: { DATABASE_URL: url.href } })

    expect(run).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^DATABASE_URL: .*no_database_of_that_name.*\n$/),
    })
  })
})

describe('what else can be in the way', () => {
  it.each(['start', 'web'])('a port in use is told in a line: %s', async (command) => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    const bound = other.address()
    const port = typeof bound === 'object' && bound ? String(bound.port) : ''

    const run = await ended(verdict.start([command], { env: { PORT: port } }))

    expect(run.code).toBe(1)
    expect(run.stderr).toMatch(new RegExp(`^Port ${port} on 127.0.0.1 is in use by another program\\..*\\n$`))
  })

  it('an address that this machine has not is told in a line', async () => {
    const run = await verdict.run(['web'], { env: { HOST: '192.0.2.1' } })

    expect(run).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^This machine has no address 192\.0\.2\.1\. Set HOST .*\n$/),
    })
  })

  it('a file where the data folder should be is told in a line', async () => {
    const file = await verdict.file('in-the-way', '')

    const run = await verdict.run(['status'], { env: { DATA_DIR: file, DATABASE_URL: '' } })

    expect(run).toMatchObject({ code: 1, stderr: expect.stringMatching(/in-the-way.*DATA_DIR.*\n$/) })
    expect(run.stderr).not.toMatch(stack)
  })

  it('a damaged signing key is told in a line', async () => {
    await verdict.run(['status'])
    await verdict.file('data/signing.key', 'dev:short\n')

    const run = await verdict.run(['status'])

    expect(run).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/DATA_DIR: .*signing\.key is damaged\./),
    })
    expect(run.stderr).not.toMatch(stack)
  })
})

const stack = /^\s+at |node:internal|\.ts:\d+/m

/** What commander says, without its hints. */
function withoutHint({ stderr }: Run): readonly string[] {
  return stderr
    .trim()
    .split('\n')
    .filter((line) => !/^Try: verdict --help$|^\(Did you mean /.test(line))
}
