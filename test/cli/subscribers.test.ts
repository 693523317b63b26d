import { describe, expect, it } from 'vitest'
import { useCommandLine } from '../setup/cli.ts'

const verdict = useCommandLine()

describe('verdict subscribers add', () => {
  it('adds a reader with their consent, and the second time says that they are there', async () => {
    const add = ['subscribers', 'add', 'Ann@EXAMPLE.test', '--consent', 'asked at the May meetup']

    const first = await verdict.run(add)
    const second = await verdict.run([...add, '--json'])

    expect(first).toMatchObject({ code: 0, stdout: 'ann@example.test is subscribed.\n' })
    expect(second).toMatchObject({
      code: 0,
      json: { address: 'ann@example.test', outcome: 'already confirmed' },
    })
  })

  it.each([
    ['without consent', ['subscribers', 'add', 'bob@example.test'], /--consent/],
    ['with empty consent', ['subscribers', 'add', 'bob@example.test', '--consent', ' '], /where and when/],
    ['with no address', ['subscribers', 'add', 'bob', '--consent', 'yes'], /"bob" is no address/],
  ])('is bad usage %s', async (_, args, why) => {
    const { code, stderr, stdout } = await verdict.run(args)

    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(why)
  })
})

describe('verdict subscribers import', () => {
  it('adds the rows that are sound, keeps formulas as text, and names the lines that are not', async () => {
    const file = await verdict.file(
      'readers.csv',
      [
        'address,consent',
        'cleo@example.test,"=HYPERLINK(""https://example.test"")"',
        'not an address,web form',
        'dan@example.test,',
        'ann@example.test,web form',
      ].join('\r\n'),
    )

    const said = await verdict.run(['subscribers', 'import', file])

    expect(said.code).toBe(1)
    expect(said.stdout.split('\n')).toEqual([
      expect.stringMatching(/readers\.csv:3: "not an address" is no address: /),
      expect.stringMatching(/readers\.csv:4: no consent is given for dan@example\.test/),
      '1 added, 1 known already, 0 left before, 0 suppressed, 2 refused',
      '',
    ])
    const consents = await verdict.withDatabase(({ db }) =>
      db.selectFrom('consent_event').select('detail').orderBy('id').execute(),
    )
    expect(consents.map(({ detail }) => detail)).toEqual([
      'asked at the May meetup',
      '=HYPERLINK("https://example.test")',
    ])
  })

  it('reads standard input', async () => {
    const { code, json } = await verdict.run(['subscribers', 'import', '-', '--json'], {
      input: 'consent,address\nweb form,eve@example.test\n',
    })

    expect({ code, json }).toMatchObject({ code: 0, json: { added: 1, refused: 0, refusals: [] } })
  })

  it('adds nobody from a file without a consent column', async () => {
    const file = await verdict.file('no-consent.csv', 'address,name\nfay@example.test,Fay\n')

    const { code, stderr } = await verdict.run(['subscribers', 'import', file])

    expect(code).toBe(1)
    expect(stderr).toMatch(/lacks the column consent; expected: address,consent\. Nobody was added\.\n$/)
    expect(stderr.split('\n')).toHaveLength(2)
  })

  it('adds nobody from a file that is not there', async () => {
    const { code, stderr } = await verdict.run(['subscribers', 'import', 'missing.csv'])

    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'Cannot read missing.csv: there is no such file, or it may not be read. Nobody was added.\n',
    })
  })
})

describe('verdict subscribers import --dry-run', () => {
  it('says what would happen, names what would bring nobody in, and adds nobody', async () => {
    const file = await verdict.file(
      'rehearsal.csv',
      'address,consent\ngus@example.test,meetup\nGUS@example.test,meetup\nann@example.test,meetup\n',
    )

    const said = await verdict.run(['subscribers', 'import', file, '--dry-run'])
    const asked = await verdict.run(['subscribers', 'show', 'gus@example.test'])

    expect(said.code).toBe(0)
    expect(said.stdout.split('\n')).toEqual([
      expect.stringMatching(/rehearsal\.csv:3: gus@example\.test stood in an earlier line/),
      'Would be: 1 added, 1 known already, 0 left before, 0 suppressed, 0 refused, 1 more than once in the file',
      '',
    ])
    expect(asked).toMatchObject({ code: 1, stderr: 'gus@example.test is not known here.\n' })
  })

  it('tells how far it is when it takes long, to programs as NDJSON', async () => {
    const rows = Array.from({ length: 6_000 }, (_, n) => `row ${n},meetup`)
    const file = await verdict.file('long.csv', ['address,consent', ...rows, ''].join('\n'))

    const said = await verdict.run(['subscribers', 'import', file, '--dry-run', '--json'])

    const progress = said.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(progress.at(-1)).toEqual({ progress: 'Importing', done: 6000, total: 6000, outcome: 'accepted' })
    expect(said.json).toMatchObject({ added: 0, refused: 6000, refusals: { length: 20 } })
  })
})

describe('verdict subscribers export', () => {
  it('writes what a spreadsheet runs nothing of, and what can be imported again', async () => {
    await verdict.run(['subscribers', 'add', '+plus@example.test', '--consent', '=1+1, at the meetup'])
    const out = `${verdict.folder}/out.csv`

    const { stdout, code } = await verdict.run(['subscribers', 'export'])
    const toFile = await verdict.run(['subscribers', 'export', '--out', out])
    const again = await verdict.run(['subscribers', 'import', out, '--json'])

    expect(code).toBe(0)
    expect(stdout.split('\n')[0]).toBe('"address","status","cadence","created","confirmed","consent"')
    expect(stdout).toMatch(
      /\n"'\+plus@example\.test","confirmed","weekly","\d{4}-.*","imported, by hand: =1\+1, at the meetup"/,
    )
    expect(stdout).not.toMatch(/(^|,)"?[=+\-@]/m)
    expect(toFile.stdout).toMatch(/^\d readers written to .*out\.csv\n$/)
    expect(again.json).toMatchObject({ added: 0, known: stdout.trim().split('\n').length - 1, refused: 0 })
  })
})

describe('verdict subscribers show and erase', () => {
  it('shows all that is held, erases only when told to, and then holds a hash', async () => {
    const shown = await verdict.run(['subscribers', 'show', 'ANN@example.test'])
    const asked = await verdict.run(['subscribers', 'erase', 'ann@example.test'])
    const still = await verdict.run(['subscribers', 'show', 'ann@example.test', '--json'])
    const erased = await verdict.run(['subscribers', 'erase', 'ann@example.test', '--yes'])
    const gone = await verdict.run(['subscribers', 'show', 'ann@example.test', '--json'])
    const add = await verdict.run(['subscribers', 'add', 'ann@example.test', '--consent', 'a list'])

    expect(shown.stdout).toContain('status: confirmed')
    expect(shown.stdout).toContain('detail: asked at the May meetup')
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('Say --yes to do it') })
    expect(still.json).toMatchObject({ reader: { address: 'ann@example.test', status: 'confirmed' } })
    expect(erased).toMatchObject({ code: 0, stdout: expect.stringContaining('A keyed hash stays') })
    expect(gone.json).toEqual({ address: 'ann@example.test', barred: 'erased' })
    expect(add).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('was erased and was not brought back'),
    })
  })
})
