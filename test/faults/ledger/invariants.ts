import { reconcileIssue } from '../../../src/delivery/reconcile.ts'
import type { World } from './world.ts'

/** I1 to I5 of RELIABILITY 3.7, by what the provider has seen and what the ledger says now. Throws the first that is broken. */
export async function checkInvariants(world: World): Promise<void> {
  const { provider, left, readers } = world
  const mails = Map.groupBy(provider.accepted, ({ readerId }) => readerId)
  for (const [reader, got] of mails)
    if (got.length > 1) throw new Error(`I1: reader ${reader} has ${got.length} mails`)
  for (const { readerId, claimedInStep } of provider.accepted)
    if (claimedInStep > (left.get(readerId) ?? Number.POSITIVE_INFINITY))
      throw new Error(`I2: reader ${readerId} was mailed by a claim made after leaving`)
  if (provider.otherBytes > 0) throw new Error('I5: a key was used with other members')

  const standing = await standings(world)
  for (const { id } of readers) {
    const rows = standing.get(id) ?? []
    if (rows.length !== 1) throw new Error(`I3: reader ${id} has ${rows.length} deliveries`)
    const [row] = rows
    const mail = mails.get(id)?.[0]
    if (row?.state === 'accepted' && row.provider_id !== mail?.id)
      throw new Error(`I4: reader ${id} is accepted as ${row.provider_id}, the provider has ${mail?.id}`)
    if (mail && ['excluded', 'rejected', 'planned'].includes(row?.state ?? ''))
      throw new Error(`I4: reader ${id} is ${row?.state}, and the provider took the mail`)
    if (row?.state === 'excluded' && !left.has(id))
      throw new Error(`I3: reader ${id} is excluded and never left`)
  }
}

/** The ledger's own opinion, which takes longer: asked once a game, at its end. */
export async function checkReconciled({ deps, issue }: World): Promise<void> {
  const { violations } = await reconcileIssue(deps.db, issue)
  if (violations[0]) throw new Error(`reconcile (${violations[0].invariant}): ${violations[0].what}`)
}

async function standings({ deps, issue }: World) {
  const rows = await deps.db
    .selectFrom('delivery_state')
    .select(['subscriber_id', 'state', 'provider_id'])
    .where('issue_id', '=', issue.id)
    .execute()
  return Map.groupBy(rows, ({ subscriber_id }) => subscriber_id)
}
