# Put in pip's way as sitecustomize.py while hal0 gets a source package. `pip download` asks a package's own build
# backend for the metadata: it would install what that backend needs, unpinned, and run it, all for a name and a
# version that are known. Here the hook process gets a backend that says those two and touches nothing, so that
# nothing of a package runs. Everywhere else, pip's own process too, this does nothing.
import importlib.abc
import importlib.machinery
import os
import pathlib
import sys

# PEP517_BUILD_BACKEND up to pip 23, _PYPROJECT_HOOKS_BUILD_BACKEND since; "module" or "module:object.object".
WANTED = next((value for name, value in os.environ.items() if name.endswith("BUILD_BACKEND")), None)


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    name, version = os.environ["HAL0_PACKAGE"], os.environ["HAL0_PACKAGE_VERSION"]
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    (pathlib.Path(metadata_directory) / info).mkdir()
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (pathlib.Path(metadata_directory) / info / "METADATA").write_text(text)
    return info


def get_requires_for_build_wheel(config_settings=None):
    return []


class Backend(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    module, _, objects = (WANTED or "").partition(":")

    def find_spec(self, name, path=None, target=None):
        if name == self.module or self.module.startswith(name + "."):
            return importlib.machinery.ModuleSpec(name, self, is_package=name != self.module)
        return None

    def exec_module(self, module):
        module.prepare_metadata_for_build_wheel = prepare_metadata_for_build_wheel
        module.get_requires_for_build_wheel = get_requires_for_build_wheel
        for name in self.objects.split("."):
            setattr(module, name or "_", module)


if WANTED:
    for name in [name for name in os.environ if name.endswith("BACKEND_PATH")]:
        del os.environ[name]  # a backend within the package itself: not asked either
    sys.meta_path.insert(0, Backend())
