import type { Command } from 'commander'
import { sql } from 'kysely'
import { type Config, developmentDefaults } from '../config.ts'
import { theInstallation, whatIsWrong } from '../delivery/epoch.ts'
import { placeOf } from '../delivery/ledger-place.ts'
import type { Newsletter } from '../newsletter.ts'
import { answering, withNewsletter } from './command.ts'

/** One check of what live sending needs: `mend` says what to do where it is not well. */
type Check = {
  readonly name: string
  readonly level: 'ok' | 'warn' | 'fail'
  readonly says: string
  readonly mend?: string
}

/** `doctor` */
export function addDoctorCommand(program: Command): void {
  answering(program.command('doctor').description('check everything that live sending needs'), () =>
    withNewsletter(async (newsletter) => {
      const checks = [
        await database(newsletter),
        await ledger(newsletter),
        ...settings(newsletter.config),
        await audience(newsletter),
      ]
      const failed = checks.filter((check) => check.level === 'fail').length
      return {
        json: { ok: failed === 0, checks },
        lines: [
          ...checks.flatMap(({ level, name, says, mend }) => [
            `${level.padEnd(4)}  ${name}: ${says}`,
            ...(mend ? [`      ${mend}`] : []),
          ]),
          failed === 0 ? 'Ready for live sending.' : `Not ready: ${failed} to mend.`,
        ],
        ok: failed === 0,
      }
    }),
  )
}

async function database({ connection, db }: Newsletter): Promise<Check> {
  const { rows } = await sql<{
    version: string
  }>`select current_setting('server_version_num') as version`.execute(db)
  const version = Math.floor(Number(rows[0]?.version) / 10_000)
  if (connection.driver.kind === 'embedded')
    return fail(
      'DATABASE_URL',
      'not set: the embedded database is for trying out',
      'Set postgres://… of a PostgreSQL 15 or newer.',
    )
  if (version < 15) return fail('DATABASE_URL', `PostgreSQL ${version}`, 'Use PostgreSQL 15 or newer.')
  return ok('DATABASE_URL', `PostgreSQL ${version} answers, and the schema is up to date`)
}

/** Whether a restored or copied database would be noticed (RELIABILITY 3.2, W7). */
async function ledger(newsletter: Newsletter): Promise<Check> {
  const { db, ledgerMark } = newsletter
  const problem = await whatIsWrong(newsletter)
  if (problem)
    return fail('ledger', problem, 'verdict reconcile WEEK --provider, then verdict adopt-database')
  if (!(await placeOf(db)))
    return warn(
      'ledger',
      'this role may not ask where the database lives: a copy of it is noticed only on machines that keep DATA_DIR',
      'Grant EXECUTE on pg_control_system() and pg_control_checkpoint(), and keep DATA_DIR on a disk that stays.',
    )
  const hasSent = (await theInstallation(db)).place !== null
  if (hasSent && !ledgerMark?.read()?.here)
    return warn(
      'ledger',
      'it has sent before, and DATA_DIR of this machine does not remember: a backup restored in place would not be noticed',
      'Keep DATA_DIR on a disk that stays.',
    )
  return ok('ledger', hasSent ? 'where it was when it last sent' : 'has not sent yet')
}

function settings(config: Config): readonly Check[] {
  const { mail } = config
  return [
    config.production
      ? ok('NODE_ENV', 'production')
      : fail('NODE_ENV', 'not production', 'Set NODE_ENV=production.'),
    mail.transport === 'outbox'
      ? fail(
          'MAIL_TRANSPORT',
          'outbox: mail is kept in files',
          'Set MAIL_TRANSPORT=resend and RESEND_API_KEY, or smtp and SMTP_URL.',
        )
      : ok('MAIL_TRANSPORT', mail.transport),
    mail.from === developmentDefaults.MAIL_FROM
      ? fail(
          'MAIL_FROM',
          'the development value',
          'Set an address under a domain that you verified with the provider.',
        )
      : ok('MAIL_FROM', mail.from),
    config.postalAddress === developmentDefaults.POSTAL_ADDRESS
      ? fail(
          'POSTAL_ADDRESS',
          'the development value',
          'Set a postal address where you can be reached: the law wants it in every mail.',
        )
      : ok('POSTAL_ADDRESS', 'set'),
    config.publicUrl.startsWith('https://')
      ? ok('PUBLIC_URL', config.publicUrl)
      : fail(
          'PUBLIC_URL',
          `${config.publicUrl} is not https`,
          'Set the https:// address at which the web process is reached.',
        ),
    config.signingKeys
      ? ok('SIGNING_KEYS', `${config.signingKeys.length} set; "${config.signingKeys[0]?.id}" signs`)
      : fail(
          'SIGNING_KEYS',
          'generated for this machine only',
          'Set id:base64, e.g. SIGNING_KEYS="k1:$(openssl rand -base64 32)".',
        ),
    config.editors.length > 0
      ? ok('EDITORS', `${config.editors.length} may enter the desk`)
      : fail('EDITORS', 'no editors', 'Set the addresses that may preview and approve, comma-separated.'),
    mail.transport !== 'resend' || config.webhookSecrets.length > 0
      ? ok('RESEND_WEBHOOK_SECRET', mail.transport === 'resend' ? 'set' : 'not needed for this transport')
      : warn(
          'RESEND_WEBHOOK_SECRET',
          'not set: bounces and complaints are not heard',
          'Set the whsec_… of your webhook.',
        ),
  ]
}

async function audience({ db }: Newsletter): Promise<Check> {
  const { readers } = await db
    .selectFrom('subscriber')
    .select(sql<number>`count(*)`.as('readers'))
    .where('status', '=', 'confirmed')
    .executeTakeFirstOrThrow()
  return readers > 0
    ? ok('readers', `${readers} confirmed`)
    : warn('readers', 'none yet', 'verdict subscribers import FILE')
}

function ok(name: string, says: string): Check {
  return { name, level: 'ok', says }
}

function warn(name: string, says: string, mend: string): Check {
  return { name, level: 'warn', says, mend }
}

function fail(name: string, says: string, mend: string): Check {
  return { name, level: 'fail', says, mend }
}
