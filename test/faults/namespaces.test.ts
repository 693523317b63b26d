import { describe, expect, it } from 'vitest'
import { findPostgresPrograms } from './field/cluster.ts'
import { cutOneOff } from './namespaces.ts'

const isThere = (await findPostgresPrograms()) !== undefined
if (!isThere && !process.env.CI)
  console.warn('namespaces: skipped, because there are no PostgreSQL programs in /usr/lib/postgresql.')

describe.skipIf(!isThere && !process.env.CI)('four workers on four machines, one of which is cut off', () => {
  it('send without it, and it does no harm when it comes back', async () => {
    const came = await cutOneOff({ readers: 1_000 })

    console.info(`the four machines were ${came.kind}`)
    expect(came.inItsHands).toBeGreaterThan(0)
    expect(came.state).toBe('sent')
    for (const account of [came.withoutIt, came.afterIt]) {
      expect(account.violations).toEqual([])
      expect(account).toMatchObject({ accepted: 1_000, duplicates: 0, unaccounted: 0, quarantined: 0 })
    }
    expect(came.exitCode).toBe(0)
  })
})
