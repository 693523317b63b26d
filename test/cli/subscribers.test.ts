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
