import { describe, expect, it } from 'vitest'
import { sendIssue } from '../../jobs/send-issue.ts'
import { type Preview, previewEdition } from '../../src/delivery/preview.ts'
import { unsubscribe } from '../../src/subscriber/unsubscribe.ts'
import { useDatabase } from '../setup/database.ts'
import { dueIssue } from '../setup/delivery.ts'
import { people } from '../setup/people.ts'

const database = useDatabase()

describe('the preview', () => {
  it('is, to the byte, what that reader is then sent', async () => {
    await people.ann(database.db)
    await people.bob(database.db)
    const { deps, mail, issue } = await dueIssue(database)

    const preview = await previewed(deps, issue, 'bob@example.test')
    await sendIssue(deps, '2026-W47')

    const sent = mail.accepted.find(({ to }) => to === 'bob@example.test')
    expect(preview.html).toBe(sent?.html)
    expect(preview.text).toBe(sent?.text)
    expect(preview.subject).toBe(sent?.subject)
    expect(preview.headers).toEqual(sent?.headers)
    expect(preview.hash).toBe(issue.edition_hash)
  })

  it('weighs bytes, not characters', async () => {
    const { deps, issue } = await dueIssue(database)

    const preview = await previewed(deps, issue)

    expect(preview.sizes).toEqual({
      html: Buffer.byteLength(preview.html),
      text: Buffer.byteLength(preview.text),
    })
  })

  it('knows a reader by their address as they wrote it', async () => {
    const ann = await people.ann(database.db)
    const { deps, issue } = await dueIssue(database)

    const [asStored, asWritten] = [
      await previewed(deps, issue, ann.address),
      await previewed(deps, issue, ' Ann@EXAMPLE.test '),
    ]

    expect(asWritten.headers).toEqual(asStored.headers)
  })

  it('is of nobody in particular where no reader is named, and its links take nobody off the list', async () => {
    const ann = await people.ann(database.db)
    const { deps, issue } = await dueIssue(database)

    const preview = await previewed(deps, issue)
    const anns = await previewed(deps, issue, ann.address)

    expect(preview.headers).not.toEqual(anns.headers)
    expect(await unsubscribe(deps, '00000000-0000-0000-0000-000000000000', 'page')).toBe(false)
  })

  it.each(['zoe@example.test', 'no address'])(
    'is not there for %s, who is no subscriber',
    async (somebody) => {
      await people.ann(database.db)
      const { deps, issue } = await dueIssue(database)

      expect(await previewEdition(deps, issue, somebody)).toEqual({ kind: 'no such reader' })
    },
  )
})

async function previewed(...args: Parameters<typeof previewEdition>): Promise<Preview> {
  const preview = await previewEdition(...args)
  if (preview.kind !== 'preview') throw new Error(`There is no preview: ${preview.kind}`)
  return preview
}
