import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { standingClock } from '../../src/clock.ts'
import { outboxTransport } from '../../src/mail/outbox.ts'
import { listOutbox, readOutboxMail } from '../../src/mail/read-outbox.ts'
import { sampleMail, sampleMails } from '../setup/sample-mail.ts'

const friday = Temporal.Instant.from('2026-11-20T14:00:00Z')
let folder: string

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'outbox-')), 'outbox')
})
afterEach(() => rm(join(folder, '..'), { recursive: true }))

describe('sending to the outbox', () => {
  it('leaves one file per mail, and says which', async () => {
    const outcome = await outbox().send(sampleMails(3), 'k')

    expect(outcome).toEqual({
      kind: 'accepted',
      providerIds: ['outbox:w47-reader-0', 'outbox:w47-reader-1', 'outbox:w47-reader-2'],
    })
    expect((await readdir(folder)).toSorted()).toEqual([
      'w47-reader-0.eml',
      'w47-reader-1.eml',
      'w47-reader-2.eml',
    ])
  })

  it('sends nothing twice when a call is repeated, and leaves the first file as it was', async () => {
    await outbox().send(sampleMails(2), 'k')
    const first = await readFile(join(folder, 'w47-reader-0.eml'))

    const later = outboxTransport({ folder, clock: standingClock(friday.add({ hours: 1 })) })
    const outcome = await later.send(sampleMails(3), 'k')

    expect(outcome).toMatchObject({ kind: 'accepted', providerIds: { length: 3 } })
    expect(await readdir(folder)).toHaveLength(3)
    expect(await readFile(join(folder, 'w47-reader-0.eml'))).toEqual(first)
  })

  it('never shows half a file to somebody who is looking', async () => {
    const html = 'x'.repeat(200_000)
    const sending = outbox().send(
      sampleMails(100).map((mail) => ({ ...mail, html })),
      'k',
    )

    let looking = true
    const sizes = new Set<number>()
    const look = async () => {
      while (looking)
        for (const entry of (await listOutbox(folder, { count: 100 })).entries) sizes.add(sizeOf(entry))
    }
    const looked = look()
    await sending
    looking = false
    await looked

    expect(Math.min(...sizes)).toBeGreaterThan(200_000)
  })

  it('shows the tags to a person, as headers', async () => {
    await outbox().send([sampleMail()], 'k')

    expect(await readFile(join(folder, 'w47-ann.eml'), 'utf8')).toMatch(
      /^X-Weekly-Verdict-Issue: 2026-W47\r$/m,
    )
  })

  it('refuses an id that could be another path', async () => {
    expect(await outbox().send([sampleMail({ id: '../etc/passwd' })], 'k')).toMatchObject({
      kind: 'rejected',
    })
    expect(await listOutbox(folder)).toEqual({ total: 0, entries: [] })
  })

  it('halts and says what to mend where its folder cannot be made', async () => {
    await writeFile(folder, 'a file in its place')

    expect(await outbox().send([sampleMail()], 'k')).toMatchObject({
      kind: 'halt',
      reason: expect.stringMatching(/cannot write to the outbox .*choose another DATA_DIR/),
    })
  })

  it('halts when the disk fills up part of the way, having accepted nothing', async ({ skip }) => {
    await mkdir(folder)
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]).status === 0
    skip(!mounted, 'a disk can only be filled where this test may mount one')

    const outcome = await outbox().send(sampleMails(100), 'k')
    const left = await readdir(folder)
    spawnSync('umount', [folder])

    expect(outcome).toMatchObject({
      kind: 'halt',
      reason: expect.stringContaining('the disk is full: make room'),
    })
    expect(left).toEqual([])
  })
})

describe('looking into the outbox', () => {
  it('is empty before the first mail', async () => {
    expect(await listOutbox(folder)).toEqual({ total: 0, entries: [] })
  })

  it('lists the newest first, a page at a time', async () => {
    for (const mail of sampleMails(5)) await outbox().send([mail], 'k')

    const page = await listOutbox(folder, { from: 1, count: 2 })

    expect(page).toMatchObject({
      total: 5,
      entries: [
        {
          id: 'w47-reader-3',
          to: 'reader-3@example.test',
          subject: 'Claude 4 Sonnet vs SmolVLM2 · week 47',
          date: friday,
        },
        { id: 'w47-reader-2' },
      ],
    })
  })

  it('lists what is not a mail as that, and goes on', async () => {
    await outbox().send([sampleMail()], 'k')
    await writeFile(join(folder, 'empty.eml'), '')
    await mkdir(join(folder, 'folder.eml'))
    await writeFile(join(folder, 'noise.eml'), Buffer.from([0, 255, 254, 13, 10, 13, 10]))
    await writeFile(join(folder, '.half.part'), 'Subject: half')

    const { total, entries } = await listOutbox(folder)

    expect(total).toBe(4)
    expect(
      entries
        .filter(({ kind }) => kind === 'unreadable')
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(['empty', 'folder', 'noise'])
  })

  it('takes a mail apart for a reader', async () => {
    await outbox().send([sampleMail()], 'k')

    const mail = await readOutboxMail(folder, 'w47-ann')

    expect(mail).toMatchObject({
      from: 'Weekly AI Tool Verdicts <verdicts@news.example.test>',
      to: 'ann@example.test',
      date: friday,
      text: `${sampleMail().text}\n`,
      html: `${sampleMail().html}\n`,
    })
    expect(mail?.headers).toContainEqual({
      name: 'List-Id',
      value: 'Weekly Verdict <weekly.news.example.test>',
    })
    expect(mail?.source).toEqual(await readFile(join(folder, 'w47-ann.eml')))
  })

  it.each([
    'absent',
    '',
    '.',
    '..',
    '../outbox/w47-ann',
    '/etc/passwd',
    'w47-ann\0',
    '.hidden',
    'a/b',
    'w47-ann.eml',
    'ü',
    'x\n',
  ])('has no mail called %j', async (id) => {
    await outbox().send([sampleMail()], 'k')
    await writeFile(join(folder, '.hidden.eml'), 'Subject: hidden\r\n\r\n')

    expect(await readOutboxMail(folder, id)).toBeUndefined()
  })
})

function outbox() {
  return outboxTransport({ folder, clock: standingClock(friday) })
}

function sizeOf(entry: Awaited<ReturnType<typeof listOutbox>>['entries'][number]): number {
  return entry.kind === 'mail' ? entry.size : Number.POSITIVE_INFINITY
}
