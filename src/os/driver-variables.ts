/** Variables that select and locate drivers of graphics hardware: ffmpeg gets them if hardware decodes. */

/**
 * VA-API (libva), CUDA and its container runtime, Quick Sync (oneVPL, Media SDK, the Intel drivers), Mesa, and where their libraries
 * are. None contains a secret.
 */
const DRIVER =
  /^(?:LIBVA_\w+|CUDA_\w+|NVIDIA_\w+|ONEVPL_\w+|MFX_\w+|IGD_\w+|INTEL_\w+|ZE_\w+|MESA_\w+|LIBGL_\w+|GALLIUM_DRIVER|DRI_PRIME|VDPAU_DRIVER|LD_LIBRARY_PATH)$/;

export function driverVariables(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => DRIVER.test(name)));
}
