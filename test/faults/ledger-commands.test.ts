import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Connection, openEmbedded } from '../../db/connect.ts'
import { migrate } from '../../db/migrate.ts'
import { openTestDatabase } from '../setup/database.ts'
import { anyCommands, settle } from './ledger/commands.ts'
import { makeWorld } from './ledger/world.ts'

/** `SEED=… RUNS=… npx vitest run …` plays other games, and more; a failure prints its own seed and path. */
const seed = Number(process.env.SEED ?? 47)
const runs = Number(process.env.RUNS ?? 20)

describe.each(['the embedded database', 'PostgreSQL'] as const)('the ledger on %s', (where) => {
  let opened: { connection: Connection; close(): Promise<void> } | undefined
  beforeAll(async () => {
    opened = where === 'PostgreSQL' ? await openTestDatabase() : await embedded()
  })
  afterAll(() => opened?.close())

  it('keeps its invariants, whatever happens in whatever order', { timeout: 600_000 }, async () => {
    const db = opened?.connection.db
    if (!db) throw new Error('The database is not open')
    let settled = 0

    const game = fc.asyncProperty(anyCommands(40), async (commands) => {
      const world = await makeWorld(db)
      await fc.asyncModelRun(() => ({ model: {}, real: world }), commands)
      await settle(world)
      settled += 1
    })
    await fc.assert(game, { seed, numRuns: runs })

    expect(settled).toBe(runs)
    console.info(`${settled} games on ${where} from seed ${seed}`)
  })
})

async function embedded(): Promise<{ connection: Connection; close(): Promise<void> }> {
  const connection = await openEmbedded()
  await migrate(connection.db)
  return { connection, close: connection.close }
}
