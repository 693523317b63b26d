import { describe, expect, it } from 'vitest'
import { useCommandLine } from '../setup/cli.ts'
import { openPolls } from '../setup/crowd.ts'
import { flaggedVotes } from '../setup/flagged.ts'

const verdict = useCommandLine()

describe('votes on the command line', () => {
  it('are none before an issue went out', async () => {
    const { stdout } = await verdict.run(['votes'])

    expect(stdout).toBe('No issue has gone out yet, so nobody has voted.\n\nNo flag is open.\n')
  })

  it('are then on each tool of the issue, with the flags that wait', async () => {
    await verdict.withDatabase(async ({ db }) => {
      await openPolls(db, { issues: 1, comparisons: 1 })
      await flaggedVotes(db)
    })

    const after = await verdict.run(['votes'])
    const json = await verdict.run(['votes', '--json'])

    expect(
      after.stdout
        .split('\n')
        .slice(0, 4)
        .map((line) => line.trim().split(/\s{2,}/)),
    ).toEqual([
      ['Votes on 2026-W41'],
      ['ship it', 'panel', 'votes', 'set aside'],
      ['week-41-number-0 left', '80%', '100%', '60', '0'],
      ['week-41-number-0 right', '39%', '0%', '74', '0'],
    ])
    expect(after.stdout).toContain('1  14 votes to ship week-41-number-0 right within 4 minutes\n')
    expect(json.json).toMatchObject({
      week: '2026-W41',
      flags: [{ id: 1, rule: 'pace', state: 'open', votes: 14, setAside: 0 }],
    })
    expect(json.stdout).not.toContain('@')
  })
})
