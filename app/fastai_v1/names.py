"""What fastai v1 called things, and what fastai v2 calls them; "" where there is nothing.

Checked against fastai 2.8. How they are found in code is left to `app.fastai_v1.recognise`.
"""

from __future__ import annotations

__all__ = [
    "ARGUMENTS",
    "FAMILIAR",
    "GONE",
    "IMPORTS",
    "METHODS",
    "NAMES",
    "OF_LEARNER",
    "TRANSFORM_ARGUMENTS",
]

Successor = tuple[str, str]  # the v2 code, and a reason or a caution in a few words

_BLOCKS = "the data block API was rewritten"
_SAME = "renamed"
# Names that stand alone and are fastai v1's alone.
NAMES: dict[str, Successor] = {
    "ImageDataBunch": (
        "ImageDataLoaders",
        "takes item_tfms=Resize(size) and batch_tfms=aug_transforms()",
    ),
    "TextDataBunch": ("TextDataLoaders", _SAME),
    "TextLMDataBunch": ("TextDataLoaders", "with is_lm=True"),
    "TextClasDataBunch": ("TextDataLoaders", "with text_vocab= of the language model"),
    "TabularDataBunch": ("TabularDataLoaders", _SAME),
    "CollabDataBunch": ("CollabDataLoaders", _SAME),
    "DataBunch": ("DataLoaders", _SAME),
    "ImageItemList": ("DataBlock(blocks=(ImageBlock, CategoryBlock))", _BLOCKS),
    "ImageImageList": ("DataBlock(blocks=(ImageBlock, ImageBlock))", _BLOCKS),
    "SegmentationItemList": ("DataBlock(blocks=(ImageBlock, MaskBlock(codes)))", _BLOCKS),
    "PointsItemList": ("DataBlock(blocks=(ImageBlock, PointBlock))", _BLOCKS),
    "ObjectItemList": ("DataBlock(blocks=(ImageBlock, BBoxBlock, BBoxLblBlock))", _BLOCKS),
    "TabularList": ("TabularPandas", "or TabularDataLoaders.from_df"),
    "CollabList": ("CollabDataLoaders", _BLOCKS),
    "create_cnn": ("vision_learner", _SAME),
    "cnn_learner": ("vision_learner", _SAME),
    "get_tabular_learner": ("tabular_learner", _SAME),
    "get_collab_learner": ("collab_learner", _SAME),
    "ImageCleaner": (
        "ImageClassifierCleaner(learn)",
        "from fastai.vision.widgets; in notebooks only",
    ),
    "FileDeleter": (
        "ImageClassifierCleaner(learn)",
        "from fastai.vision.widgets; delete what its delete() lists",
    ),
    "DatasetFormatter": (
        "Interpretation.from_learner(learn).top_losses()",
        "the cleaner finds top losses by itself",
    ),
    "ImageDownloader": (
        "",
        "fastai v2 has no such widget; fetch a list of addresses with download_images",
    ),
    "LearnerCallback": ("Callback", "has self.learn; the names of its events changed too"),
    "ReduceLROnPlateauCallback": ("ReduceLROnPlateau", "without learn as first argument"),
    "accuracy_thresh": ("accuracy_multi", _SAME),
    "MultiCategoryList": ("MultiCategoryBlock", _BLOCKS),
    "gpu_mem_get_free_no_cache": (
        "torch.cuda.mem_get_info()[0]",
        "in bytes, not MB; torch's own cache that can be used again is not counted",
    ),
    "gpu_mem_get_free": ("torch.cuda.mem_get_info()[0]", "in bytes, not MB"),
    "gpu_mem_get_used": (
        "torch.cuda.memory_allocated()",
        "in bytes, not MB, and of this program only",
    ),
    "GPUMemTrace": ("", "fastai v2 has no such trace; see torch.cuda.max_memory_allocated()"),
    "PeakMemMetric": ("", "fastai v2 has no such metric; see torch.cuda.max_memory_allocated()"),
    "ConvLearner": ("vision_learner", "from fastai 0.7, older than v1"),
    "ImageClassifierData": ("ImageDataLoaders", "from fastai 0.7, older than v1"),
    "tfms_from_model": ("aug_transforms", "from fastai 0.7, older than v1"),
}
# Names that other libraries have too: fastai's only beside something that is fastai v1's alone.
FAMILIAR: dict[str, Successor] = {
    "ImageList": ("DataBlock(blocks=(ImageBlock, CategoryBlock))", _BLOCKS),
    "TextList": ("DataBlock(blocks=TextBlock.from_folder(path))", _BLOCKS),
    "ItemList": ("DataBlock", _BLOCKS),
    "CategoryList": ("CategoryBlock", _BLOCKS),
    "FloatList": ("RegressionBlock", "it has no log=True: take the logarithm of the column first"),
    "open_image": ("PILImage.create", _SAME),
    "open_mask": ("PILMask.create", _SAME),
    "fbeta": ("FBetaMulti(beta)", "a metric that is made first"),
    "ShowGraph": ("ShowGraphCallback", _SAME),
    "DatasetType": (
        "",
        "v2 takes ds_idx=1 for validation, and dl=learn.dls.test_dl(items) for others",
    ),
    "get_transforms": ("aug_transforms", "given as batch_tfms="),
}
# Methods that only fastai v1's data blocks have; in v2 they are arguments of DataBlock.
METHODS: dict[str, Successor] = {
    "databunch": (".dataloaders(source, bs=64)", "of a DataBlock, which is given its source here"),
    "split_by_rand_pct": ("splitter=RandomSplitter(valid_pct=0.2)", _BLOCKS),
    "random_split_by_pct": ("splitter=RandomSplitter(valid_pct=0.2)", _BLOCKS),
    "split_by_folder": ("splitter=GrandparentSplitter()", _BLOCKS),
    "split_by_idx": ("splitter=IndexSplitter(valid_idx)", _BLOCKS),
    "split_by_idxs": ("splitter=IndexSplitter(valid_idx)", "the other indices are trained on"),
    "split_by_fname_file": ("splitter=FileSplitter(fname)", _BLOCKS),
    "split_by_files": ("splitter=FuncSplitter(func)", "func says of an item whether it validates"),
    "split_by_valid_func": ("splitter=FuncSplitter(func)", _BLOCKS),
    "split_from_df": ("splitter=ColSplitter('is_valid')", _BLOCKS),
    "split_none": (
        "splitter=RandomSplitter(valid_pct=0)",
        "without validation v2 reports no metrics",
    ),
    "label_from_folder": ("get_y=parent_label", _BLOCKS),
    "label_from_re": ("get_y=RegexLabeller(pat)", _BLOCKS),
    "label_from_func": ("get_y=func", _BLOCKS),
    "label_from_df": ("get_y=ColReader('label')", _BLOCKS),
    "label_for_lm": ("TextBlock.from_folder(path, is_lm=True)", _BLOCKS),
    "label_empty": ("", "v2 labels nothing for prediction: learn.dls.test_dl(items)"),
}
# What a Learner, its recorder or the loaders have: "recorder.plot" stands for learn.recorder.plot.
OF_LEARNER: dict[str, Successor] = {
    "data": ("learn.dls", _SAME),
    "destroy": (
        "del learn; gc.collect(); torch.cuda.empty_cache()",
        "a method no longer; or let the run's process end",
    ),
    "purge": ("", "fastai v2 has no purge; delete the learner and call torch.cuda.empty_cache()"),
    "mixup": ("cbs=MixUp()", "a callback of the learner or of fit"),
    "clip_grad": ("cbs=GradientClip(max_norm)", "a callback of the learner or of fit"),
    "recorder.plot": ("learn.recorder.plot_lr_find()", "learn.lr_find() draws it by itself"),
    "recorder.plot_losses": ("learn.recorder.plot_loss()", _SAME),
    "recorder.plot_lr": ("learn.recorder.plot_sched()", _SAME),
    "recorder.plot_metrics": (
        "",
        "fastai v2 has no plot of metrics; learn.recorder.values has the numbers",
    ),
}
# Arguments by name, with the ends of the names of what takes them; () where the argument says
# enough alone.
ARGUMENTS: dict[str, tuple[tuple[str, ...], Successor]] = {
    "callbacks": (("_learner", "Learner", "fit_one_cycle", "learn.fit"), ("cbs=", _SAME)),
    "callback_fns": ((), ("cbs=", "made, not given as functions of the learner")),
    "max_lr": (("fit_one_cycle",), ("lr_max=", _SAME)),
    "ds_tfms": ((), ("batch_tfms=aug_transforms()", _BLOCKS)),
    "tfm_y": ((), ("", "v2 changes masks, points and pictures with their inputs by itself")),
    "ds_type": (
        ("get_preds", "validate", "from_learner", "show_results"),
        ("ds_idx=", "1 is validation"),
    ),
    "size": (("ImageDataBunch", "DataBunch.from_folder"), ("item_tfms=Resize(size)", _BLOCKS)),
    "bptt": (("DataBunch", "databunch", "from_df", "from_folder", "from_csv"), ("seq_len=", _SAME)),
}
TRANSFORM_ARGUMENTS = frozenset(
    {
        "do_flip",
        "flip_vert",
        "max_rotate",
        "max_zoom",
        "max_lighting",
        "max_warp",
        "p_affine",
        "p_lighting",
        "xtra_tfms",
    }
)
# Modules of a star import.
IMPORTS: dict[str, Successor] = {
    "fastai": ("from fastai.basics import *", "fastai v2 has nothing at its top"),
    "fastai.vision": ("from fastai.vision.all import *", "the names moved"),
    "fastai.text": ("from fastai.text.all import *", "the names moved"),
    "fastai.tabular": ("from fastai.tabular.all import *", "the names moved"),
    "fastai.callbacks": ("from fastai.callback.all import *", "the names moved"),
    "fastai.widgets": ("from fastai.vision.widgets import *", "the names moved"),
    "fastai.basic_data": ("from fastai.basics import *", "the names moved"),
    "fastai.basic_train": ("from fastai.basics import *", "the names moved"),
    "fastai.data_block": ("from fastai.data.all import *", "the names moved"),
    "fastai.train": ("from fastai.basics import *", "the names moved"),
    "fastai.utils.mem": ("", "fastai v2 has no such module; see torch.cuda.mem_get_info()"),
    "fastai.conv_learner": ("from fastai.vision.all import *", "from fastai 0.7, older than v1"),
}
# Modules of these that v2 does not have at all.
GONE = frozenset(IMPORTS) - {"fastai", "fastai.vision", "fastai.text", "fastai.tabular"}
