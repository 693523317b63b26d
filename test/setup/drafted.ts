import type { Kysely } from 'kysely'
import { migrate } from '../../db/migrate.ts'
import type { Database } from '../../db/schema.ts'
import { draftIssue } from '../../src/issue/draft.ts'
import { weekNamed } from '../../src/issue/week.ts'
import { documentFor, publish } from './comparisons.ts'
import { newsletterWith, newYork } from './newsletter.ts'
import { openPostOffice } from './post-office.ts'

/** A week's issue with a comparison of its own, drafted on its Thursday; brings the database to the newest schema first. */
export async function drafted(db: Kysely<Database>, week: string): Promise<void> {
  const named = weekNamed(week, newYork)
  if (!named) throw new Error(`${week} is no week`)
  await migrate(db)
  const publishedAt = named.draftAt.subtract({ hours: 24 }).toString()
  await publish(db, documentFor(`left-${week.toLowerCase()}-vs-right`, { publishedAt }))
  const deps = newsletterWith({ db }, { clock: () => named.draftAt, transport: openPostOffice() })
  const { outcome } = await draftIssue(deps, named)
  if (outcome !== 'drafted') throw new Error(`${week} is ${outcome}`)
}
