import { describe, expect, it } from 'vitest'
import { collectSignUps } from '../../src/subscriber/collect.ts'
import { recordSignUps, type SignUp } from '../../src/subscriber/sign-up.ts'
import { useDatabase } from '../setup/database.ts'
import { monday, signUpOf } from '../setup/sign-ups.ts'

const database = useDatabase()
const at = Temporal.Instant.from(monday)
const numbered = (n: number) => signUpOf({ at, address: `r${n}@example.test` })

describe('sign-ups that come at once', () => {
  it('are all written, in few statements', async () => {
    let statements = 0
    const collect = collectSignUps(async (batch) => {
      statements++
      await recordSignUps(database.db, batch)
    })

    await Promise.all(Array.from({ length: 400 }, (_, n) => collect(numbered(n))))

    const rows = await database.db.selectFrom('sign_up').select('address').execute()
    expect(new Set(rows.map(({ address }) => address)).size).toBe(400)
    expect(statements).toBeLessThan(10)
  })

  it('are written as they were given', async () => {
    const given: SignUp = {
      ...{ address: `o'neil+"x"@example.test`, at, network: '2001:db8:1:2::/64', method: 'embedded form' },
      ...{
        formUrl: `https://blog.example/a'b;drop table sign_up--`,
        wording: 'unknown',
        signals: ['no stamp', 'trap filled'],
      },
      wish: { category: `R&D 'n' "more"`, cadence: 'followed' },
    }

    await recordSignUps(database.db, [given])

    const { id, form_url, follow_tool, follow_category, follow_cadence, ...row } = await database.db
      .selectFrom('sign_up')
      .selectAll()
      .executeTakeFirstOrThrow()
    const wish = { category: follow_category, cadence: follow_cadence }
    expect(follow_tool).toBeNull()
    expect({ ...row, formUrl: form_url, wish }).toEqual(given)
  })

  it('hear of a failure each, and the next are written', async () => {
    let isBroken = true
    const written: string[] = []
    const collect = collectSignUps(async (batch) => {
      if (isBroken) throw new Error('the database is away')
      written.push(...batch.map(({ address }) => address))
    })

    const outcomes = await Promise.allSettled([1, 2, 3].map((n) => collect(numbered(n))))
    isBroken = false
    await collect(numbered(4))

    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(written).toEqual(['r4@example.test'])
  })
})
