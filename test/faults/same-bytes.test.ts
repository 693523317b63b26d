import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { sql } from 'kysely'
import { describe, expect, it, onTestFinished } from 'vitest'
import { weekNamed } from '../../src/issue/week.ts'
import { type CommandLine, ended, type Run, useCommandLine } from '../setup/cli.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { crowd } from '../setup/delivery.ts'
import { drafted } from '../setup/drafted.ts'
import { startFakeProvider } from '../setup/fake-provider.ts'
import { newYork } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { bareSum } from '../setup/provider/witness.ts'

const root = join(import.meta.dirname, '../..')
const week = '2099-W10'
const newer = '<!-- a newer mjml -->'

describe('a send that goes on in a newer version of the program', () => {
  const verdict = useCommandLine()

  it('makes the very same bytes, though templates and a library are others now', async () => {
    const program = await copyOfTheProgram(verdict)
    const { provider, env } = await issueTo(verdict, 250)
    provider.next({ kind: 'accept-and-hang' }, { kind: 'hang' })
    await killedInTheCall(verdict, program, env, () => provider.received.length >= 2)

    await changeTemplates(program)
    await upgradeMjml(program)
    await endLeases(verdict)
    const next = await run(verdict, program, ['send', week, '--now', '--json'], env)
    const draft = await draftNextWeek(verdict, program)
    const editions = await verdict.withDatabase(({ db }) => db.selectFrom('edition').selectAll().execute())

    const approved = editions.find(({ html }) => !html.includes(newer))
    expect(next).toMatchObject({ code: 0, json: { state: 'sent', accepted: 250 } })
    expect(provider.accepted.map(({ to }) => to).toSorted()).toEqual(crowd(250))
    expect(provider.received.length).toBeGreaterThanOrEqual(5)
    expect(provider.carryOut({}).otherBytes).toBe(0)
    expect(new Set(provider.accepted.map(({ bareSha256 }) => bareSha256))).toEqual(
      new Set(approved && [bareSum(approved)]),
    )
    // The new version does set its own issues otherwise: the change is real.
    expect(draft).toMatchObject({ code: 0 })
    expect(editions.some(({ html }) => html.includes(newer) && html.includes('Set anew'))).toBe(true)
  })
})

describe.each([
  ['another sender', async () => {}, { MAIL_FROM: 'Somebody else <else@example.com>' }],
  ['another address of our own', async () => {}, { PUBLIC_URL: 'https://elsewhere.example.com' }],
  ['another wire format', newWireFormat, {}],
] as const)('a send in doubt that would go on with %s', (_, change, changed) => {
  const verdict = useCommandLine()

  it('does not: a person decides', async () => {
    const program = await copyOfTheProgram(verdict)
    const { provider, env } = await issueTo(verdict, 3)
    provider.next({ kind: 'accept-and-hang' })
    await killedInTheCall(verdict, program, env, () => provider.received.length >= 1)

    await change(program)
    await endLeases(verdict)
    const next = await run(verdict, program, ['send', week, '--now', '--json'], { ...env, ...changed })

    expect(next).toMatchObject({ code: 1, json: { state: 'partly sent', accepted: 0, quarantined: 3 } })
    expect(provider.received).toHaveLength(1)
    expect(provider.accepted.map(({ to }) => to).toSorted()).toEqual(crowd(3))
  })
})

/** The program in a folder of its own, where it may be changed. Returns that folder. */
async function copyOfTheProgram({ folder }: CommandLine): Promise<string> {
  const copy = join(folder, 'program')
  for (const part of ['src', 'jobs', 'db', 'templates', 'package.json'])
    await cp(join(root, part), join(copy, part), { recursive: true })
  await mkdir(join(copy, 'node_modules'))
  for (const name of await readdir(join(root, 'node_modules')))
    await symlink(join(root, 'node_modules', name), join(copy, 'node_modules', name))
  return copy
}

async function changeTemplates(program: string): Promise<void> {
  const paragraph = '<mj-section><mj-column><mj-text>Set anew</mj-text></mj-column></mj-section>'
  await edit(join(program, 'templates/email/issue.mjml.hbs'), /<mj-body[^>]*>/, `$&${paragraph}`)
}

/** What a release that sets the same structure in other bytes would look like. */
async function upgradeMjml(program: string): Promise<void> {
  const folder = join(program, 'node_modules/mjml')
  await rm(folder)
  await mkdir(folder)
  await writeFile(
    join(folder, 'package.json'),
    '{"name":"mjml","version":"99.0.0","type":"module","exports":"./index.js"}',
  )
  const real = JSON.stringify(join(root, 'node_modules/mjml/lib/index.js'))
  await writeFile(
    join(folder, 'index.js'),
    `import real from ${real}
     const set = real.default ?? real
     export default async (...given) => {
       const done = await set(...given)
       return { ...done, html: done.html.replace('</body>', '${newer}</body>') }
     }`,
  )
}

async function newWireFormat(program: string): Promise<void> {
  await edit(join(program, 'src/delivery/fingerprint.ts'), /wireFormat = \d+/, 'wireFormat = 999')
}

async function edit(file: string, what: RegExp, into: string): Promise<void> {
  const before = await readFile(file, 'utf8')
  if (!what.test(before)) throw new Error(`There is no ${what} in ${file} any more`)
  await writeFile(file, before.replace(what, into))
}

/** Another issue, drafted by the program as it is now. */
async function draftNextWeek(verdict: CommandLine, program: string): Promise<Run> {
  const next = weekNamed('2099-W11', newYork)
  if (!next) throw new Error('That is no week')
  const publishedAt = next.draftAt.subtract({ hours: 24 }).toString()
  await verdict.withDatabase(({ db }) => publish(db, documentFor('newer-vs-newest', { publishedAt })))
  return run(verdict, program, ['draft', '--week', next.name, '--as-of', next.draftAt.toString()], {})
}

async function issueTo(verdict: CommandLine, readers: number) {
  await verdict.withDatabase(async ({ db }) => {
    await drafted(db, week)
    await people.crowd(db, readers)
  })
  const provider = await startFakeProvider()
  onTestFinished(() => provider.close())
  const env = { MAIL_TRANSPORT: 'resend', RESEND_API_KEY: 're_test', RESEND_BASE_URL: provider.url }
  return { provider, env }
}

function start(verdict: CommandLine, program: string, args: readonly string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [join(program, 'src/cli.ts'), ...args], {
    cwd: verdict.folder,
    env: { ...verdict.environment, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

function run(
  verdict: CommandLine,
  program: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<Run> {
  return ended(start(verdict, program, args, env))
}

async function killedInTheCall(
  verdict: CommandLine,
  program: string,
  env: Record<string, string>,
  isTime: () => boolean,
): Promise<void> {
  const sender = start(verdict, program, ['send', week, '--now'], env)
  const exit = once(sender, 'exit')
  while (!isTime() && sender.exitCode === null) await wait(5)
  sender.kill('SIGKILL')
  await exit
}

function endLeases(verdict: CommandLine): Promise<unknown> {
  return verdict.withDatabase(({ db }) =>
    sql`update batch set lease_until = now() - interval '1 second' where state = 'attempting'`.execute(db),
  )
}
