import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { useCommandLine } from '../setup/cli.ts'
import { documentFor } from '../setup/comparisons.ts'

const verdict = useCommandLine({ isNew: true })
const folder = join(import.meta.dirname, '../../db/samples')
const samples = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => join(folder, file))

describe('verdict migrate', () => {
  it('brings the database to the newest schema, and the second time finds it there', async () => {
    const first = await verdict.run(['migrate', '--json'])
    const second = await verdict.run(['migrate', '--json'])

    expect(first).toMatchObject({ code: 0, json: { ran: expect.arrayContaining(['001-comparisons']) } })
    expect(second).toMatchObject({ code: 0, json: { ran: [] } })
  })
})

describe('verdict import', () => {
  it('says what it would do, and does nothing, on a dry run', async () => {
    const dry = await verdict.run(['import', '--dry-run', '--json', ...samples])
    const again = await verdict.run(['import', '--dry-run', ...samples])

    expect(dry).toMatchObject({ code: 0, json: { created: samples.length, refused: 0, dryRun: true } })
    expect(again.stdout).toContain(`Would be: ${samples.length} created`)
  })

  it('takes in every sample, once', async () => {
    const first = await verdict.run(['import', '--json', ...samples])
    const second = await verdict.run(['import', '--json', ...samples])

    expect(first).toMatchObject({ code: 0, json: { created: samples.length, unchanged: 0, refused: 0 } })
    expect(second).toMatchObject({ code: 0, json: { created: 0, unchanged: samples.length, refused: 0 } })
  })

  it('reads standard input, an array, and one document on each line', async () => {
    const [one, two, three] = ['a-vs-b', 'c-vs-d', 'e-vs-f'].map((slug) => documentFor(slug))
    const lines = await verdict.file('some.ndjson', `${JSON.stringify(one)}\n\n${JSON.stringify(two)}\n`)

    const taken = await verdict.run(['import', '--json', '-', lines], {
      input: JSON.stringify([two, three], null, 2),
    })

    expect(taken).toMatchObject({ code: 0, json: { created: 3, unchanged: 1 } })
    expect(taken.json).toMatchObject({
      documents: [
        { file: 'stdin', slug: 'c-vs-d', outcome: 'created' },
        { file: 'stdin', slug: 'e-vs-f', outcome: 'created' },
        { file: lines, slug: 'a-vs-b', line: 1 },
        { file: lines, slug: 'c-vs-d', line: 3, outcome: 'unchanged' },
      ],
    })
  })

  it('calls another text under a known slug an update', async () => {
    const file = await verdict.file(
      'revised.json',
      JSON.stringify(documentFor('a-vs-b', { title: 'A against B, again' })),
    )

    expect(await verdict.run(['import', '--json', file])).toMatchObject({
      code: 0,
      json: { updated: 1, created: 0 },
    })
  })

  it('refuses three tools, a broken line and a missing field, each with its place, and takes the rest', async () => {
    const good = documentFor('good-vs-fine')
    const [left, right] = good.tools
    const three = { ...good, slug: 'three', tools: [left, right, { ...left, slug: 'third' }] }
    const { title: _, ...untitled } = { ...good, slug: 'untitled' }
    const file = await verdict.file(
      'mixed.ndjson',
      [JSON.stringify(three), '{"slug": "broken",', JSON.stringify(untitled), JSON.stringify(good)].join(
        '\n',
      ),
    )

    const said = await verdict.run(['import', file])
    const json = await verdict.run(['import', '--json', '--dry-run', file])

    expect(said.code).toBe(1)
    expect(said.stderr).toBe('')
    expect(said.stdout.split('\n')).toEqual([
      expect.stringMatching(/mixed\.ndjson:1: "three": tools: expected exactly two tools, found 3/),
      expect.stringMatching(/mixed\.ndjson:2: not valid JSON/),
      expect.stringMatching(/mixed\.ndjson:3: "untitled": title: /),
      '1 created, 0 updated, 0 unchanged, 3 refused',
      '',
    ])
    expect(json).toMatchObject({
      code: 1,
      json: { unchanged: 1, refused: 3, refusals: [{ slug: 'three' }, { slug: null }, { slug: 'untitled' }] },
    })
  })

  it('takes in nothing where one of the files is not there', async () => {
    const file = await verdict.file('new.json', JSON.stringify(documentFor('new-vs-newer')))

    const missing = await verdict.run(['import', file, join(verdict.folder, 'missing.json')])
    const after = await verdict.run(['import', '--dry-run', '--json', file])

    expect(missing.code).toBe(1)
    expect(missing.stderr).toMatch(
      /^Cannot read .*missing\.json: there is no such file\. Nothing was taken in\.\n$/,
    )
    expect(after).toMatchObject({ json: { created: 1 } })
  })
})

describe('verdict schema', () => {
  it('is a JSON Schema that every sample fits, and that three tools do not', async () => {
    const { code, json } = await verdict.run(['schema'])

    const schema = z.fromJSONSchema(z.record(z.string(), z.unknown()).parse(json))
    const documents = samples.map((file) => JSON.parse(readFileSync(file, 'utf8')))
    expect(code).toBe(0)
    expect(json).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' })
    expect(documents.filter((document) => !schema.safeParse(document).success)).toEqual([])
    const [{ tools, ...rest }] = documents
    expect(schema.safeParse({ ...rest, tools: [...tools, tools[0]] }).success).toBe(false)
    expect(schema.safeParse(rest).success).toBe(false)
    expect(schema.safeParse({ ...rest, tools, extra: 1 }).success).toBe(false)
  })
})
