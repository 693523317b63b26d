#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { DataFolderLocked } from '../db/lock.ts'
import { addAdoptCommand } from './cli/adopt-database.ts'
import { Problem, UsageError } from './cli/command.ts'
import { addDecisionCommands } from './cli/decide.ts'
import { addDoctorCommand } from './cli/doctor.ts'
import { addDraftCommand } from './cli/draft.ts'
import { addEventCommands } from './cli/events.ts'
import { addImportCommands } from './cli/import.ts'
import { addMigrateCommand } from './cli/migrate.ts'
import { addPreviewCommand } from './cli/preview.ts'
import { addQuarantineCommand } from './cli/quarantine.ts'
import { addReconcileCommand } from './cli/reconcile.ts'
import { addRescheduleCommand } from './cli/reschedule.ts'
import { addSendCommand } from './cli/send.ts'
import { addServeCommands } from './cli/serve.ts'
import { addStatusCommand } from './cli/status.ts'
import { addSubscriberCommands } from './cli/subscribers.ts'
import { addSuppressionCommands } from './cli/suppressions.ts'
import { addTickCommand } from './cli/tick.ts'
import { addVotesCommand } from './cli/votes.ts'
import { BadConfig } from './config.ts'
import { AccountUnreadable } from './mail/resend-ask.ts'
import { CannotListen } from './web.ts'

const program = new Command('verdict')
  .description('A week of AI tool comparisons, set as one email and sent once to every confirmed reader.')
  .showHelpAfterError('Try: verdict --help')
  .exitOverride()

for (const add of [
  addServeCommands,
  addMigrateCommand,
  addDoctorCommand,
  addImportCommands,
  addDraftCommand,
  addPreviewCommand,
  addDecisionCommands,
  addRescheduleCommand,
  addSendCommand,
  addStatusCommand,
  addReconcileCommand,
  addQuarantineCommand,
  addAdoptCommand,
  addSubscriberCommands,
  addSuppressionCommands,
  addEventCommands,
  addTickCommand,
  addVotesCommand,
])
  add(program)

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = complain(error)
}

/** Says what went wrong, once, and returns the exit code: 1 failed, 2 bad usage. Surprises keep their stack. */
function complain(error: unknown): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0
  const isUsage = error instanceof UsageError || error instanceof CommanderError
  const text = isUsage || isExpected(error) ? messageOf(error) : surprise(error)
  // Commander has said its own on stderr by now.
  if (!(error instanceof CommanderError)) process.stderr.write(`${text}\n`)
  if (process.argv.includes('--json'))
    process.stdout.write(`${JSON.stringify({ error: messageOf(error) })}\n`)
  return isUsage ? 2 : 1
}

function isExpected(error: unknown): boolean {
  return (
    [Problem, BadConfig, DataFolderLocked, CannotListen, AccountUnreadable].some(
      (kind) => error instanceof kind,
    ) ||
    isUnreachable(error) ||
    isAboutAFile(error)
  )
}

/** A folder that may not be written, a file where a folder should be, a full disk. */
function isAboutAFile(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error && 'path' in error
}

/** PostgreSQL does not answer, or lets nobody of that name in. */
function isUnreachable(error: unknown): error is Error & { code: string } {
  const network = ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH']
  // Sign-in, no such database, too many connections, starting up (PostgreSQL, appendix A).
  const codes = [...network, '28P01', '28000', '3D000', '53300', '57P03']
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

function messageOf(error: unknown): string {
  if (isUnreachable(error))
    return `DATABASE_URL: the database cannot be reached (${error.message || error.code}). Is it running, and is the URL right?`
  if (isAboutAFile(error)) return `${error.message}. Check DATA_DIR, and the paths on the command line.`
  if (error instanceof BadConfig)
    return `The environment is not right:\n${error.faults.map((fault) => `  ${fault.name}: ${fault.problem}`).join('\n')}`
  return error instanceof Error ? error.message : String(error)
}

function surprise(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
