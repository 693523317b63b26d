import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { sql } from 'kysely'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { weekNamed } from '../../src/issue/week.ts'
import { ended, type Run, useCommandLine } from '../setup/cli.ts'
import { documentFor, publish } from '../setup/comparisons.ts'
import { crowd } from '../setup/delivery.ts'
import { drafted } from '../setup/drafted.ts'
import { startFakeProvider } from '../setup/fake-provider.ts'
import { newYork } from '../setup/newsletter.ts'
import { people } from '../setup/people.ts'
import { bareSum } from '../setup/provider/witness.ts'

const root = join(import.meta.dirname, '../..')
const newer = '<!-- a newer mjml -->'
const verdict = useCommandLine()
let program = ''

beforeAll(async () => {
  program = await copyOfTheProgram()
  await verdict.withDatabase(async ({ db }) => {
    await drafted(db, '2099-W10')
    await people.crowd(db, 250)
  })
})

describe.each([
  ['another sender', '2099-W10', async () => {}, { MAIL_FROM: 'Somebody else <else@example.com>' }],
  ['another address of our own', '2099-W11', async () => {}, { PUBLIC_URL: 'https://elsewhere.example.com' }],
  ['another wire format', '2099-W12', newWireFormat, {}],
] as const)('a send that would go on with %s', (_, week, change, changed) => {
  it('goes on with what is left; what is in doubt is not sent again: a person decides', async () => {
    const { provider, env } = await issueAndProvider(week)
    provider.next({ kind: 'accept-and-hang' })
    await killedInTheCall(week, env, () => provider.received.length >= 1)
    const inDoubt = provider.accepted.length

    await change()
    await endLeases()
    const next = await run(['send', week, '--now', '--json'], { ...env, ...changed })

    expect(inDoubt).toBeGreaterThan(0)
    expect(next).toMatchObject({
      code: 1,
      json: { state: 'partly sent', accepted: 250 - inDoubt, quarantined: inDoubt },
    })
    const keys = provider.received.map(({ headers }) => headers['idempotency-key'])
    expect(new Set(keys).size).toBe(keys.length)
    expect(provider.accepted.map(({ to }) => to).toSorted()).toEqual(crowd(250))
  })
})

describe('a send that goes on in a newer version of the program', () => {
  it('makes the very same bytes, though templates and a library are others now', async () => {
    const week = '2099-W13'
    const { provider, env } = await issueAndProvider(week)
    provider.next({ kind: 'accept-and-hang' })
    await killedInTheCall(week, env, () => provider.received.length >= 1)

    await changeTemplates()
    await upgradeMjml()
    await endLeases()
    const next = await run(['send', week, '--now', '--json'], env)
    const draft = await draftNextWeek('2099-W14')
    const { sent, drafted: latest } = await editionsOf(week, '2099-W14')

    expect(next).toMatchObject({ code: 0, json: { state: 'sent', accepted: 250 } })
    expect(provider.accepted.map(({ to }) => to).toSorted()).toEqual(crowd(250))
    const keys = provider.received.map(({ headers }) => headers['idempotency-key'])
    expect(new Set(keys).size).toBe(keys.length - 1)
    expect(provider.carryOut({}).otherBytes).toBe(0)
    expect(new Set(provider.accepted.map(({ bareSha256 }) => bareSha256))).toEqual(new Set([bareSum(sent)]))
    // The new version does set its own issues otherwise: the change is real.
    expect(draft).toMatchObject({ code: 0 })
    expect(latest.html).toContain(newer)
    expect(latest.html).toContain('Set anew')
  })
})

/** The program in a folder of its own, where it may be changed. Returns that folder. */
async function copyOfTheProgram(): Promise<string> {
  const copy = join(verdict.folder, 'program')
  for (const part of ['src', 'jobs', 'db', 'templates', 'package.json'])
    await cp(join(root, part), join(copy, part), { recursive: true })
  await mkdir(join(copy, 'node_modules'))
  for (const name of await readdir(join(root, 'node_modules')))
    await symlink(join(root, 'node_modules', name), join(copy, 'node_modules', name))
  return copy
}

async function changeTemplates(): Promise<void> {
  const paragraph = '<mj-section><mj-column><mj-text>Set anew</mj-text></mj-column></mj-section>'
  await edit(join(program, 'templates/email/issue.mjml.hbs'), /<mj-body[^>]*>/, `$&${paragraph}`)
}

/** What a release that sets the same structure in other bytes would look like. */
async function upgradeMjml(): Promise<void> {
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

async function newWireFormat(): Promise<void> {
  await edit(join(program, 'src/delivery/fingerprint.ts'), /wireFormat = \d+/, 'wireFormat = 999')
}

async function edit(file: string, what: RegExp, into: string): Promise<void> {
  const before = await readFile(file, 'utf8')
  if (!what.test(before)) throw new Error(`There is no ${what} in ${file} any more`)
  await writeFile(file, before.replace(what, into))
}

/** Another issue, drafted by the program as it is now. */
async function draftNextWeek(week: string): Promise<Run> {
  const next = weekNamed(week, newYork)
  if (!next) throw new Error('That is no week')
  const publishedAt = next.draftAt.subtract({ hours: 24 }).toString()
  await verdict.withDatabase(({ db }) => publish(db, documentFor('newer-vs-newest', { publishedAt })))
  return run(['draft', '--week', week, '--as-of', next.draftAt.toString()], {})
}

function editionsOf(sent: string, latest: string) {
  return verdict.withDatabase(async ({ db }) => {
    const of = (week: string) =>
      db
        .selectFrom('edition as e')
        .innerJoin('issue as i', 'i.edition_hash', 'e.hash')
        .selectAll('e')
        .where('i.week', '=', week)
        .executeTakeFirstOrThrow()
    return { sent: await of(sent), drafted: await of(latest) }
  })
}

async function issueAndProvider(week: string) {
  await verdict.withDatabase(({ db }) => drafted(db, week))
  const provider = await startFakeProvider()
  onTestFinished(() => provider.close())
  const env = { MAIL_TRANSPORT: 'resend', RESEND_API_KEY: 're_test', RESEND_BASE_URL: provider.url }
  return { provider, env }
}

function start(args: readonly string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [join(program, 'src/cli.ts'), ...args], {
    cwd: verdict.folder,
    env: { ...verdict.environment, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

function run(args: readonly string[], env: Record<string, string>): Promise<Run> {
  return ended(start(args, env))
}

async function killedInTheCall(
  week: string,
  env: Record<string, string>,
  isTime: () => boolean,
): Promise<void> {
  const sender = start(['send', week, '--now'], env)
  const exit = once(sender, 'exit')
  while (!isTime() && sender.exitCode === null) await wait(5)
  sender.kill('SIGKILL')
  await exit
}

function endLeases(): Promise<unknown> {
  return verdict.withDatabase(({ db }) =>
    sql`update batch set lease_until = now() - interval '1 second' where state = 'attempting'`.execute(db),
  )
}
