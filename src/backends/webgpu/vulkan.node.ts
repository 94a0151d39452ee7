/**
 * Whether Linux has Vulkan at all. Dawn would find out itself, but complains on the error stream where it is missing, and cannot say what to install:
 * so its loader and its drivers are looked for first, where the loader looks (Vulkan-Loader, docs/LoaderDriverInterface.md, "Driver Discovery").
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

/** What is looked at: the environment, and the files of the machine. */
export interface Machine {
  readonly environment: { readonly [name: string]: string | undefined }
  /** The names in a directory; none where it is not there. */
  readonly list: (directory: string) => readonly string[]
  /** The libraries that the system's linker knows, as text; undefined where it keeps no list of them. */
  readonly linkerCache: () => string | undefined
}

const loader = 'libvulkan.so.1'

/** Variables that name drivers, or places of them. */
const driverVariables = ['VK_ICD_FILENAMES', 'VK_DRIVER_FILES', 'VK_ADD_DRIVER_FILES'] as const

const paths = (list: string | undefined): readonly string[] => (list ?? '').split(':').filter((path) => path !== '')

const directories = ({ environment: e }: Machine): readonly string[] => {
  const home = e['HOME'] ?? ''
  const configured = [e['XDG_CONFIG_HOME'] ?? join(home, '.config'), ...paths(e['XDG_CONFIG_DIRS'] ?? '/etc/xdg')]
  const data = [
    e['XDG_DATA_HOME'] ?? join(home, '.local/share'),
    ...paths(e['XDG_DATA_DIRS'] ?? '/usr/local/share:/usr/share'),
  ]
  const fixed = ['/etc', '/usr/local/etc', '/usr/local/share', '/usr/share', '/run/opengl-driver/share']
  return [...configured, ...fixed, ...data].map((root) => join(root, 'vulkan/icd.d'))
}

const hasDriver = (machine: Machine): boolean =>
  driverVariables.some((name) => (machine.environment[name] ?? '') !== '') ||
  directories(machine).some((directory) => machine.list(directory).some((name) => name.endsWith('.json')))

const hasLoader = ({ environment, linkerCache, list }: Machine): boolean => {
  if (paths(environment['LD_LIBRARY_PATH']).some((directory) => list(directory).includes(loader))) return true
  return linkerCache()?.includes(loader) ?? true // without a list nothing is known
}

/** What Vulkan lacks on a machine with Linux, and what to do, in words; undefined where nothing is seen to be missing. */
export const missingIn = (machine: Machine): string | undefined => {
  if (!hasLoader(machine))
    return `Vulkan's loader, ${loader}, is not installed (Debian and Ubuntu: apt-get install libvulkan1)`
  return hasDriver(machine)
    ? undefined
    : "no driver of Vulkan is installed: it comes with NVIDIA's driver, and for other GPUs with Mesa (Debian and Ubuntu: apt-get install mesa-vulkan-drivers)"
}

/** What Vulkan lacks here. */
export const missingHere = (): string | undefined =>
  process.platform === 'linux'
    ? missingIn({
        environment: process.env,
        list: (directory) => (existsSync(directory) ? readdirSync(directory) : []),
        linkerCache: () => (existsSync('/etc/ld.so.cache') ? readFileSync('/etc/ld.so.cache', 'latin1') : undefined),
      })
    : undefined
