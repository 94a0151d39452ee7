import { describe, expect, it } from 'vitest'
import { outcomeOf, showReport, type Report } from '../../src/cli/doctor.ts'
import { buildCommand, run } from './command.ts'

const speed = { flopsPerSecond: 11.2e12, bytesPerSecond: 380e9, launchSeconds: 4.25e-6 }

const report: Report = {
  node: 'v24.0.0',
  platform: 'darwin arm64',
  processor: 'Apple M2 Max',
  cores: 12,
  memory: 64e9,
  adapters: [
    {
      power: ['high-performance', 'low-power'],
      vendor: 'apple',
      architecture: 'metal-3',
      device: '',
      description: 'Apple M2 Max',
      software: false,
      features: ['depth-clip-control', 'shader-f16', 'subgroups', 'timestamp-query'],
      limits: {
        maxStorageBuffersPerShaderStage: 10,
        maxStorageBufferBindingSize: 4e9,
        maxBufferSize: 4e9,
        maxComputeWorkgroupStorageSize: 32768,
        maxComputeInvocationsPerWorkgroup: 1024,
      },
    },
  ],
  devices: [
    { name: 'webgpu', description: 'webgpu · Apple M2 Max', memoryLimit: 4e10, wrong: [], speed },
    { name: 'wasm', why: 'this JavaScript engine has no vectors in WebAssembly (SIMD)' },
    { name: 'cpu', description: 'cpu, in TypeScript', memoryLimit: Infinity, wrong: ['sorting', 'halves'] },
  ],
  train: { name: 'webgpu', notes: [] },
}

describe('what the doctor says', () => {
  it('names the GPU with what leads to it, what kernels use of it, and each device with its verdict and speed', () => {
    const text = showReport(report)
    expect(text).toMatch(/gpu +Apple M2 Max · apple · metal-3\n +chosen by +high-performance and low-power\n/)
    expect(text).toMatch(/features +shader-f16, subgroups, timestamp-query\n/)
    expect(text).toMatch(/✓ webgpu +webgpu · Apple M2 Max\n +kernels +\d+ programs of every family agree/)
    expect(text).toMatch(
      /11\.2 TFLOP\/s in products of matrices · 380 GB\/s in passes over memory · 4\.25 µs a\s+launch/,
    )
    expect(text).toMatch(/– wasm +this JavaScript engine has no vectors/)
    expect(text).toMatch(/✗ cpu +cpu, in TypeScript\n +kernels +WRONG: sorting; halves\n/)
    expect(text).toMatch(/train +takes webgpu; --device NAME chooses another/)
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
  })

  it('says why none is faster than the one that train takes', () => {
    const text = showReport({ ...report, adapters: [], train: { name: 'wasm', notes: ['no GPU was found'] } })
    expect(text).toMatch(/gpu +none was found\n/)
    expect(text).toMatch(/train +takes wasm, for no GPU was found;/)
  })

  it('fails where a kernel came out wrong, and not where a device is not there', () => {
    expect(outcomeOf(report)).toMatchObject({
      code: 1,
      message: expect.stringMatching(/kernels of cpu came out wrong/),
    })
    expect(outcomeOf({ ...report, devices: report.devices.slice(0, 2) })).toEqual({ code: 0 })
  })
})

describe('fathom doctor', () => {
  it('tries all devices of this machine, and prints the same as JSON', async () => {
    const { code, stdout, stderr } = await run(buildCommand('doctor'), ['doctor', '--json'])
    expect([code, stderr]).toEqual([0, ''])
    const { devices, train } = JSON.parse(stdout) as Report
    expect(devices.map(({ name }) => name)).toEqual(['webgpu', 'wasm', 'cpu'])
    expect(devices[0]).toMatchObject({ why: expect.stringContaining('FATHOM_WEBGPU=0') }) // as all tests have it
    for (const device of devices.slice(1)) expect(device).toMatchObject({ wrong: [], speed: expect.anything() })
    expect(train).toEqual({ name: 'wasm', notes: [] })
  }, 300_000)
})
