import { join } from 'node:path'
import { openDatabase } from '../../../db/connect.ts'
import { systemClock } from '../../../src/clock.ts'
import { readConfig } from '../../../src/config.ts'
import type { DeliverDeps } from '../../../src/delivery/deliver.ts'
import { createLog } from '../../../src/log.ts'
import { listIdUnder } from '../../../src/mail/list-headers.ts'
import { openTransport } from '../../../src/mail/open-transport.ts'

/**
 * What delivering needs, from the environment as `verdict send` reads it, without the templates that only planning needs:
 * a worker is at work a quarter of a second after it was started, so that one can be killed four times a second.
 */
export async function openLean(
  environment: NodeJS.ProcessEnv,
  worker: string,
): Promise<DeliverDeps & { close(): Promise<void> }> {
  const config = readConfig(environment)
  const { db, close } = await openDatabase({ url: config.databaseUrl, dataDir: config.dataDir })
  const transport = openTransport(config.mail, { folder: join(config.dataDir, 'outbox'), clock: systemClock })
  return {
    ...{ db, transport, worker, clock: systemClock, log: createLog('silent') },
    wire: { from: config.mail.from, replyTo: config.mail.replyTo, publicUrl: config.publicUrl },
    listId: listIdUnder(/@([^>\s]+)>?$/.exec(config.mail.from)?.[1] ?? 'example.com'),
    keys: config.signingKeys ?? [],
    async close() {
      await transport.close()
      await close()
    },
  }
}
